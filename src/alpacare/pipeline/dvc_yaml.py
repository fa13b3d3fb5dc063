"""dvc.yaml as data: what a stage depends on and writes, with the matrix filled in."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from alpacare.core.errors import BadInput
from alpacare.core.lock_copy import LOCK
from alpacare.core.settings import read_yaml
from alpacare.core.stage_entry import fill, find, matrix_items

DVC = Path("dvc.yaml")
_PARAMS = Path("params.yaml")
Keys = Sequence[str]
_INPUTS, _OUTPUTS = ("deps",), ("outs", "metrics", "plots")
# what asks LLMs, and what runs them
_EXPENSIVE = frozenset({"src/alpacare/llm", "src/alpacare/compute"})


class Cell(NamedTuple):
    """One cell of a stage's matrix, or a stage that has none: what it reads and writes."""

    reads: list[str]
    writes: list[str]


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
    """Name the stages that are paid or want a GPU: by the code that they depend on."""
    stages: dict[str, Any] = _read(DVC)["stages"]
    return [name for name, stage in stages.items() if not _EXPENSIVE.isdisjoint(stage["deps"])]


def command_option(stage: str, option: str) -> Path:
    """Give the path behind an option in a stage's command: of a file that no result depends on."""
    words = _read(DVC)["stages"][stage]["cmd"].split()
    if option not in words[:-1]:
        raise BadInput(f"dvc.yaml: the command of stage '{stage}' has no {option}")
    return Path(words[words.index(option) + 1])


def command(stage: str, **item: str) -> list[str]:
    """Give the words of a stage's command, for one cell of its matrix."""
    return fill(_read(DVC)["stages"][stage]["cmd"], {**_read(_PARAMS), "item": item}).split()


def setting(*keys: str) -> Any:
    """Give one value of params.yaml as it is written there, unchecked."""
    return find(".".join(keys), _read(_PARAMS))


def recorded_setting(stage: str, key: str) -> Any:
    """Give the value that a key of a stage's own section had when it last ran, by dvc.lock."""
    stages = read_yaml(LOCK).get("stages", {}) if LOCK.exists() else {}
    entry = stages.get(stage, {})
    return entry.get("params", {}).get("params.yaml", {}).get(stage, {}).get(key)


def cells() -> dict[str, Cell]:
    """Give every cell of every stage by its address, as `seeds` or `scores@demo-all-rows-0`."""
    return _cells(_state(DVC), _state(_PARAMS))


def writer(path: Path) -> str:
    """Give the address of the cell that writes a file, or its folder; "" if none does."""
    return _find_writer(_writers(cells()), str(path))


def cells_before(targets: Iterable[str]) -> set[str]:
    """Give the cells of these stages, or these cells, and all that come before them.

    Raises:
        BadInput: there is no such stage, or no such cell.
    """
    known = cells()
    writers = _writers(known)
    todo = [cell for target in targets for cell in _addressed(target, known)]
    found = set(todo)
    while todo:
        reads = known[todo.pop()].reads
        before = {_find_writer(writers, path) for path in reads} - found - {""}
        found |= before
        todo += before
    return found


def group(address: str) -> str:
    """Give the stage of a cell by its address."""
    return address.partition("@")[0]


def _addressed(target: str, known: Mapping[str, Cell]) -> list[str]:
    found = [cell for cell in known if target in (cell, group(cell))]
    if found or target in all_stages():  # a stage may have no cells now
        return found
    stage = group(target)
    if stage not in all_stages():
        raise BadInput(f"no stage '{stage}' in {DVC}; there are: {', '.join(all_stages())}")
    others = ", ".join(cell for cell in known if group(cell) == stage) or "none"
    raise BadInput(f"no cell '{target}' by {DVC} and params.yaml; there are: {others}")


def _find_writer(writers: Mapping[str, str], path: str) -> str:
    """Find who writes a path, or a folder that it is in."""
    places = (path, *map(str, Path(path).parents))
    return next((writers[place] for place in places if place in writers), "")


def _writers(known: Mapping[str, Cell]) -> dict[str, str]:
    return {path: address for address, cell in known.items() for path in cell.writes}


@lru_cache(maxsize=2)
def _cells(dvc: tuple[Path, int], params: tuple[Path, int]) -> dict[str, Cell]:
    found = {}
    for name, stage in _read_state(*dvc)["stages"].items():
        for item in matrix_items(stage, _read_state(*params)):
            address = "@".join(filter(None, (name, "-".join(map(str, item.values())))))
            found[address] = Cell(_named(stage, _INPUTS, item), _named(stage, _OUTPUTS, item))
    return found


def _named(stage: Mapping[str, Any], keys: Keys, item: Mapping[str, str]) -> list[str]:
    named = [each for key in keys for each in stage.get(key, [])]
    values = {**_read(_PARAMS), "item": item}  # an axis that is not named is left
    return [fill(each if isinstance(each, str) else next(iter(each)), values) for each in named]


def _read(path: Path) -> dict[str, Any]:
    """Read a file once, not once a cell: it takes a third of a second."""
    return _read_state(*_state(path))


def _state(path: Path) -> tuple[Path, int]:
    # a file that is missing is for its reader to report
    return path.resolve(), path.stat().st_mtime_ns if path.exists() else 0


@lru_cache(maxsize=4)
def _read_state(path: Path, changed_at: int) -> dict[str, Any]:
    return read_yaml(path)
