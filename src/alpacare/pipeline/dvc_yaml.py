"""dvc.yaml as data: what a stage depends on and writes, with the matrix filled in."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.core.settings import read_yaml

DVC = Path("dvc.yaml")


def dependencies(stage: str, folder: str, **item: str) -> list[Path]:
    """Give a stage's dependencies in a folder, from dvc.yaml, for one cell of its matrix."""
    return _paths(stage, ["deps"], folder, "dependency", item)


def outputs(stage: str, folder: str, **item: str) -> list[Path]:
    """Give a stage's outputs in a folder, metrics and plots too, for one cell of its matrix."""
    return _paths(stage, ["outs", "metrics", "plots"], folder, "output", item)


def _paths(stage: str, keys: list[str], folder: str, what: str, item: dict[str, str]) -> list[Path]:
    known = _read(DVC)["stages"][stage]
    named = [each for key in keys for each in known.get(key, [])]
    paths = [_fill(each if isinstance(each, str) else next(iter(each)), item) for each in named]
    found = [Path(path) for path in paths if path.startswith(folder)]
    if not found:
        raise BadInput(f"dvc.yaml: stage '{stage}' has no {what} in {folder}")
    return found


def _fill(path: str, item: dict[str, str]) -> str:
    """Fill ${item.AXIS} and ${SECTION.KEY} of params.yaml in, as DVC does; leave other axes."""

    def value(match: re.Match[str]) -> str:
        section, key = match.groups()
        return str(item.get(key, match[0]) if section == "item" else setting(section, key))

    return re.sub(r"\$\{(\w+)\.(\w+)\}", value, path)


def expensive_stages() -> list[str]:
    """Name the stages that are paid or need a GPU: those whose outputs DVC caches, all of them."""
    stages: dict[str, Any] = _read(DVC)["stages"]
    return [name for name, stage in stages.items() if not stage.keys() & {"metrics", "plots"}]


def setting(section: str, key: str) -> Any:
    """Give one value of params.yaml as it stands there, unchecked."""
    return _read(Path("params.yaml"))[section][key]


def _read(path: Path) -> dict[str, Any]:
    """Read a file once, not once a cell: it takes a third of a second."""
    # a file that is missing is for its reader to report
    return _read_state(path.resolve(), path.stat().st_mtime_ns if path.exists() else 0)


@lru_cache(maxsize=2)
def _read_state(path: Path, changed_at: int) -> dict[str, Any]:
    return read_yaml(path)
