"""`alpacare trace`: one row's way from seed to judgment."""

from pathlib import Path
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.display.text import name_some
from alpacare.lineage.origin import follow
from alpacare.lineage.rows import ID, Shelf
from alpacare.lineage.test_item import tried
from alpacare.lineage.training_row import learned
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params, read_params

_TASK = ("instruction", "input", "type", "topic", "view", "difficulty")


def trace(wanted: str) -> dict[str, Any]:
    """Tell all that the files here know of a row, by stage; `wanted` is its id, or how it begins.

    Raises:
        BadInput: no id begins so, or several do.
    """
    params = read_params()
    shelf = Shelf()
    id = _resolve(wanted, params, shelf)
    story: dict[str, Any] = {"id": id, "task": _task(id, params, shelf)}
    story |= follow(id, params, shelf)
    if lesson := learned(id, params, shelf):
        story["checkpoint"] = lesson
    if trials := tried(id, params, shelf):
        story["tests"] = trials
    return story | {"not_here": list(shelf.not_here)}


def _resolve(wanted: str, params: Params, shelf: Shelf) -> str:
    start = wanted.strip().lower()
    if not ID.fullmatch(start):
        raise BadInput(
            f"'{wanted}' is no id, nor how one begins: at least 4 of the digits 0-9 and a-f, as in "
            f"{paths.lessons(params)}"
        )
    files = _files(params)
    ids = {found.row["id"] for path in files for found in shelf.beginning(path, start)}
    if start in ids:
        return start
    if len(ids) > 1:
        some = name_some(sorted(ids))
        raise BadInput(f"'{start}': {len(ids)} ids begin so: {some}; give more of it")
    if ids:
        return str(ids.pop())
    lacks = f"; not here, and not looked into: {name_some(list(shelf.not_here))}; `dvc pull`"
    raise BadInput(
        f"'{start}': no seed, instruction, response or test task of today's pipeline has such an "
        f"id{lacks if shelf.not_here else ''}"
    )


def _files(params: Params) -> list[Path]:
    """List the files that name rows, the ways in first."""
    told = paths.telling(params)
    files = [paths.rows("seeds")] if "seeds" in told else []
    files += [paths.tasks(params)] if "filtered" in told else []
    files += [paths.lost(stage) for stage in paths.WRITING if stage in told]
    return [*files, paths.lessons(params), *map(paths.test_set, params.tests)]


def _task(id: str, params: Params, shelf: Shelf) -> dict[str, Any] | None:
    """Give the task itself; None for what could not be read as one."""
    for path in _files(params):
        if (found := shelf.one(path, id)) and "instruction" in found.row:
            return {name: found.row[name] for name in _TASK if name in found.row}
    return None
