"""What is known of a call to a model: from the recordings in Git, or the ledger."""

from pathlib import Path
from typing import Any

from alpacare.lineage.rows import Shelf
from alpacare.llm.cache_pack import Entry
from alpacare.llm.ledger import Ledger, default_path
from alpacare.pipeline.dvc_yaml import dependencies

RECORDED = ("instructions", "responses")


def describe(key: str, shelf: Shelf) -> dict[str, Any]:
    """Say who answered a request, when and for how many dollars; and which file holds the answer.

    All but the key is null where no file here holds it: an answer that was brought in, or a ledger
    that stayed elsewhere.
    """
    for stage in RECORDED:
        for pack in dependencies(stage, "data/recordings/"):
            for found in shelf.mention(pack, key):
                if found.row.get("key") == key:
                    return _tell(key, pack, Entry.model_validate(found.row))
    ledger = default_path()
    if ledger.exists():
        with Ledger(ledger) as books:
            if books.get(key):
                return _tell(key, ledger, books.entry(key))
    return _tell(key, None, None)


def _tell(key: str, place: Path | None, entry: Entry | None) -> dict[str, Any]:
    return {
        "key": key,
        "held_by": str(place) if place else None,
        "received": entry.received if entry else None,
        "endpoint": entry.request.get("endpoint") if entry else None,
        "model": entry.answer().model if entry else None,
        "dollars": entry.price if entry else None,
    }
