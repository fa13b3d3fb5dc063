"""Answers of the ledger on their way to colleagues: packs in data/packs/, named by their content.

Two people's packs never have one name and different content, so Git never has to merge them.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from alpacare.core.jsonl import read_objects
from alpacare.sharing.tracked import add, note_of

FOLDER = Path("data/packs")
RECORDINGS = Path("data/recordings")  # packs too, which everybody has from Git
_NAME = re.compile(r"[0-9a-f]{12}\.jsonl")
_FRESH = FOLDER / "fresh.jsonl"


def pack_new_answers() -> Iterator[str]:
    """Write the ledger's answers that no pack holds yet into one more, and have DVC take it in.

    Raises:
        BadInput: a pack or the ledger cannot be read, or DVC does not take the pack.
    """
    if pack := _write_pack():
        yield f"{pack[0]}: {pack[1]} answers that no pack held"
    # by its note, not by what was just written: an earlier try may have stopped in between
    loose = [path for path in _packs() if not note_of(path).exists()]
    if loose:
        add(loose)


def take_packs_in() -> Iterator[str]:
    """Take the answers of all packs that are here into the ledger, and tell of each.

    Raises:
        BadInput: a pack or the ledger cannot be read; packs before it are taken in.
    """
    from alpacare.llm.ledger import Ledger, default_path
    from alpacare.llm.maintenance import import_pack

    packs = _packs()
    if not packs:  # and no ledger is made for nothing
        return
    with Ledger(default_path()) as ledger:
        for pack in packs:
            yield import_pack(ledger, pack)


def _packs() -> list[Path]:
    return sorted(path for path in FOLDER.glob("*.jsonl") if _NAME.fullmatch(path.name))


def _write_pack() -> tuple[Path, int] | None:
    """Write what is new, if anything is."""
    from alpacare.llm.cache_pack import write_pack
    from alpacare.llm.ledger import default_path
    from alpacare.llm.maintenance import open_ledger, sound_entries

    if not default_path().exists():
        return None
    known = set(_keys([*_packs(), *sorted(RECORDINGS.glob("*.jsonl"))]))
    with open_ledger() as ledger:
        fresh = (entry for entry in sound_entries(ledger) if entry.key not in known)
        count = write_pack(_FRESH, fresh)
    if not count:
        _FRESH.unlink()
        return None
    digest = hashlib.sha256(_FRESH.read_bytes()).hexdigest()
    return _FRESH.rename(FOLDER / f"{digest[:12]}.jsonl"), count


def _keys(packs: list[Path]) -> Iterator[str]:
    for pack in packs:
        for _, value in read_objects(pack):
            if "key" in value:
                yield value["key"]
