"""dvc.yaml as data: what a stage depends on and writes, with the matrix filled in."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.core.settings import read_yaml

DVC = Path("dvc.yaml")

PARAMS = Path("params.yaml")


def dependencies(stage: str, folder: str, **item: str) -> list[Path]:
    """Give a stage's dependencies in a folder, from dvc.yaml, for one cell of its matrix."""
    deps: list[str] = _read(_state(DVC))["stages"][stage]["deps"]
    found = [path for dep in deps if (path := _fill(dep, item)).startswith(folder)]
    if not found:
        raise BadInput(f"dvc.yaml: stage '{stage}' has no dependency in {folder}")
    return list(map(Path, found))


def outputs(stage: str, folder: str, **item: str) -> list[Path]:
    """Give a stage's outputs in a folder, metrics and plots too, for one cell of its matrix."""
    known = _read(_state(DVC))["stages"][stage]
    named = [out for kind in ("outs", "metrics", "plots") for out in known.get(kind, [])]
    paths = [_fill(out if isinstance(out, str) else next(iter(out)), item) for out in named]
    found = [Path(path) for path in paths if path.startswith(folder)]
    if not found:
        raise BadInput(f"dvc.yaml: stage '{stage}' has no output in {folder}")
    return found


def _fill(path: str, item: dict[str, str]) -> str:
    """Fill ${item.AXIS} and ${SECTION.KEY} of params.yaml in, as DVC does; leave other axes."""

    def value(match: re.Match[str]) -> str:
        section, key = match.groups()
        return str(
            item.get(key, match[0]) if section == "item" else _read(_state(PARAMS))[section][key]
        )

    return re.sub(r"\$\{(\w+)\.(\w+)\}", value, path)


def rows_path(stage: str, folder: str, **item: str) -> Path:
    """Give the file of rows, not how they came about, that a stage reads from a folder."""
    return next(path for path in dependencies(stage, folder, **item) if path.suffix == ".jsonl")


def _state(path: Path) -> tuple[Path, int]:
    """Tell one state of a file from another; a file that is missing is for its reader to report."""
    return path.resolve(), path.stat().st_mtime_ns if path.exists() else 0


@lru_cache(maxsize=2)
def _read(state: tuple[Path, int]) -> dict[str, Any]:
    """Read dvc.yaml and params.yaml once, not once a cell: it takes a third of a second."""
    return read_yaml(state[0])
