"""What is left of cells that dvc.yaml no longer has: of a student, a seed or a test set taken out.

DVC keeps their entries in dvc.lock, and their figures below metrics/ stay in Git. What is below
data/ and models/ stays, and DVC's cache and Git's history bring back all of it.
"""

import shutil
from collections.abc import Iterator, Mapping
from os.path import normpath
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from alpacare.core.files import atomic_file, read_text
from alpacare.core.lock_copy import LOCK, keep_lock_copy
from alpacare.core.texts import counted
from alpacare.pipeline.dvc_yaml import cells
from alpacare.pipeline.repair import hold_dvc

METRICS = Path("metrics")
_KEY = "  "  # before the name of a stage in dvc.lock
_SHOWN = 3


def remove_left_cells() -> Iterator[str]:
    """Remove from dvc.lock and metrics/ what cells left that are no more; say so in one line.

    Raises:
        BadInput: a run is under way.
    """
    if not (LOCK.exists() and Path(".dvc").is_dir() and _find_left(_split(read_text(LOCK)))):
        return
    with hold_dvc():
        parts = _split(read_text(LOCK))
        left = _find_left(parts)
        files = _remove_files(left)
        with atomic_file(LOCK) as file:
            file.write("".join(text for name, text in parts if name not in left))
        keep_lock_copy()
    shown = ", ".join([*left][:_SHOWN]) + (", ..." if len(left) > _SHOWN else "")
    yield (
        f"removed from dvc.lock what dvc.yaml and params.yaml no longer name: "
        f"{counted(len(left), 'cell')} ({shown}), and {files} of their files in {METRICS}/"
    )


def _split(text: str) -> list[tuple[str, str]]:
    """Cut dvc.lock into the entries of its cells, by address; "" for what is before them."""
    parts = [("", "")]
    for line in text.splitlines(keepends=True):
        if line.startswith(_KEY) and not line.startswith((f"{_KEY} ", f"{_KEY}-", f"{_KEY}#")):
            parts.append((line.strip().removesuffix(":").strip("'\""), line))
        elif parts[-1][0] and not line.startswith(" "):
            parts.append(("", line))
        else:
            parts[-1] = (parts[-1][0], parts[-1][1] + line)
    return parts


def _find_left(parts: list[tuple[str, str]]) -> dict[str, Any]:
    """Give the entries of cells that are no more, by address."""
    known = cells().keys() | {""}
    return {
        name: YAML(typ="safe", pure=True).load(text)[name]
        for name, text in parts
        if name not in known
    }


def _remove_files(left: Mapping[str, Any]) -> int:
    """Remove what they wrote below metrics/, unless another cell writes it now; count the files."""
    written = {Path(path) for cell in cells().values() for path in cell.writes}
    above = written.union(*(path.parents for path in written))
    count = 0
    for entry in left.values():
        for path in (Path(normpath(out["path"])) for out in entry.get("outs", [])):
            if METRICS in path.parents and path not in above and written.isdisjoint(path.parents):
                count += _remove(path)
    return count


def _below_metrics(path: Path) -> list[Path]:
    """Give the folders between metrics/ and a path."""
    return [parent for parent in path.parents if METRICS in parent.parents]


def _remove(path: Path) -> int:
    """Remove a file or folder, and the folders that are empty without it; count the files."""
    if path.is_dir() and not path.is_symlink():
        count = sum(each.is_file() for each in path.rglob("*"))
        shutil.rmtree(path)
    else:
        count = int(path.exists())
        path.unlink(missing_ok=True)
    for folder in _below_metrics(path):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    return count
