"""Cache packs in data/packs/: answers of the ledger for colleagues, in files named by their hash.

Packs of two people never have one name and different content, so Git never has to merge them.
"""

import hashlib
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from alpacare.core.jsonl import read_objects
from alpacare.core.texts import counted
from alpacare.sharing.tracked import dvc_add, dvc_file

FOLDER = Path("data/packs")
RECORDINGS = Path("data/recordings")  # packs too, which Git has
_NAME = re.compile(r"[0-9a-f]{12}\.jsonl")
_FRESH = FOLDER / "fresh.jsonl"


def export_new_answers() -> Iterator[str]:
    """Write the ledger's answers that no pack holds yet into a new pack, tracked by DVC.

    Raises:
        BadInput: a pack or the ledger cannot be read, or DVC fails.
    """
    from alpacare.llm.cache_pack import write_pack
    from alpacare.llm.ledger import default_path
    from alpacare.llm.maintenance import intact_entries, open_ledger

    if default_path().exists():
        packs = [*_packs(), *sorted(RECORDINGS.glob("*.jsonl"))]
        lines = chain.from_iterable(map(read_objects, packs))
        known = {value["key"] for _, value in lines if "key" in value}
        with open_ledger() as ledger:
            new = (entry for entry in intact_entries(ledger) if entry.key not in known)
            count = write_pack(_FRESH, new).end
        if count:
            digest = hashlib.sha256(_FRESH.read_bytes()).hexdigest()
            pack = _FRESH.rename(FOLDER / f"{digest[:12]}.jsonl")
            yield f"{pack}: {counted(count, 'answer')} that no pack held"
        else:
            _FRESH.unlink()
    # all without a .dvc file: an earlier try may have stopped between writing and `dvc add`
    untracked = [path for path in _packs() if not dvc_file(path).exists()]
    if untracked:
        dvc_add(untracked)


def import_all_packs() -> Iterator[str]:
    """Import the answers of all packs into the ledger, with one line about each.

    Raises:
        BadInput: a pack or the ledger cannot be read; earlier packs are imported.
    """
    from alpacare.llm.ledger import Ledger, default_path
    from alpacare.llm.maintenance import import_pack

    packs = _packs()
    if not packs:  # do not create an empty ledger
        return
    with Ledger(default_path()) as ledger:
        for pack in packs:
            yield import_pack(ledger, pack)


def _packs() -> list[Path]:
    return sorted(path for path in FOLDER.glob("*.jsonl") if _NAME.fullmatch(path.name))
