"""dvc.yaml as data: what a stage depends on and writes, with the matrix filled in."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.core.lock_copy import LOCK
from alpacare.core.settings import read_yaml
from alpacare.core.stage_entry import fill

DVC = Path("dvc.yaml")
Keys = Sequence[str]
_INPUTS, _OUTPUTS = ("deps",), ("outs", "metrics", "plots")


def dependencies(stage: str, folder: str, **item: str) -> list[Path]:
    """Give a stage's dependencies in a folder, from dvc.yaml, for one cell of its matrix."""
    return _paths(stage, _INPUTS, folder, "dependency", item)


def outputs(stage: str, folder: str, **item: str) -> list[Path]:
    """Give a stage's outputs in a folder, metrics and plots too, for one cell of its matrix."""
    return _paths(stage, _OUTPUTS, folder, "output", item)


def _paths(stage: str, keys: Keys, folder: str, what: str, item: Mapping[str, str]) -> list[Path]:
    paths = _named(_read(DVC)["stages"][stage], keys, item)
    found = [Path(path) for path in paths if path.startswith(folder)]
    if not found:
        raise BadInput(f"dvc.yaml: stage '{stage}' has no {what} in {folder}")
    return found


def all_stages() -> list[str]:
    """Name the stages, in the order of dvc.yaml."""
    return list(_read(DVC)["stages"])


def expensive_stages() -> list[str]:
    """Name the stages that are paid or need a GPU: those whose outputs DVC caches, all of them."""
    stages: dict[str, Any] = _read(DVC)["stages"]
    return [name for name, stage in stages.items() if not stage.keys() & {"metrics", "plots"}]


def setting(section: str, key: str) -> Any:
    """Give one value of params.yaml as it stands there, unchecked."""
    return _read(Path("params.yaml"))[section][key]


def recorded_setting(stage: str, key: str) -> Any:
    """Give the value that a key of a stage's own section had when it last ran, by dvc.lock."""
    stages = read_yaml(LOCK).get("stages", {}) if LOCK.exists() else {}
    entry = stages.get(stage, {})
    return entry.get("params", {}).get("params.yaml", {}).get(stage, {}).get(key)


def stages_before(targets: Iterable[str]) -> set[str]:
    """Name stages, and all that come before them; a cell counts as its stage.

    Raises:
        BadInput: there is no such stage.
    """
    stages: dict[str, Any] = _read(DVC)["stages"]
    reads = {name: _named(stage, _INPUTS, {}) for name, stage in stages.items()}
    writes = {name: _named(stage, _OUTPUTS, {}) for name, stage in stages.items()}
    found = {target.partition("@")[0] for target in targets}
    if unknown := found - stages.keys():
        raise BadInput(f"no stage '{min(unknown)}' in {DVC}; there are: {', '.join(stages)}")
    todo = list(found)
    while todo:
        needed = reads.get(todo.pop(), [])
        before = {name for name in stages if _meet(needed, writes[name])} - found
        found |= before
        todo += before
    return found


def _named(stage: Mapping[str, Any], keys: Keys, item: Mapping[str, str]) -> list[str]:
    named = [each for key in keys for each in stage.get(key, [])]
    values = {**_read(Path("params.yaml")), "item": item}  # an axis that is not named is left
    return [fill(each if isinstance(each, str) else next(iter(each)), values) for each in named]


def _meet(inputs: Sequence[str], outputs: Sequence[str]) -> bool:
    """Whether an input is an output, or lies in one."""
    return any(f"{path}/".startswith(f"{out}/") for path in inputs for out in outputs)


def _read(path: Path) -> dict[str, Any]:
    """Read a file once, not once a cell: it takes a third of a second."""
    # a file that is missing is for its reader to report
    return _read_state(path.resolve(), path.stat().st_mtime_ns if path.exists() else 0)


@lru_cache(maxsize=2)
def _read_state(path: Path, changed_at: int) -> dict[str, Any]:
    return read_yaml(path)
