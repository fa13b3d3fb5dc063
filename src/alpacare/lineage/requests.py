"""Facts on a call to an LLM, from the cache packs in Git or from the ledger."""

from pathlib import Path
from typing import Any

from alpacare.lineage.rows import RowReader
from alpacare.llm.cache_pack import Entry
from alpacare.llm.ledger import Ledger, default_path
from alpacare.pipeline.dvc_yaml import dependencies


def describe_request(key: str, reader: RowReader) -> dict[str, Any]:
    """Give the model, time and price of a request's answer, and the file that holds it.

    All but the key is null if no file here has the answer: it was imported, or the ledger is on
    another machine.
    """
    file, entry = _find(key, reader)
    return {
        "key": key,
        "held_by": str(file) if file else None,
        "received": entry.received if entry else None,
        "endpoint": entry.request.get("endpoint") if entry else None,
        "model": entry.answer().model if entry else None,
        "dollars": entry.price if entry else None,
    }


def _find(key: str, reader: RowReader) -> tuple[Path, Entry] | tuple[None, None]:
    for stage in ("instructions", "responses"):
        for pack in dependencies(stage, "data/recordings/"):
            for found in reader.containing(pack, key):
                if found.row.get("key") == key:
                    return pack, Entry.model_validate(found.row)
    path = default_path()
    if path.exists():
        with Ledger(path) as ledger:
            if ledger.get(key):
                return path, ledger.entry(key)
    return None, None
