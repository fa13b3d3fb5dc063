"""`alpacare trace`: one row from seed to judgment."""

from pathlib import Path
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.display.text import name_some
from alpacare.lineage.origin import own_sources, trace_row_origin
from alpacare.lineage.rows import ID, RowReader
from alpacare.lineage.test_item import trace_test_item
from alpacare.lineage.training_row import trace_training_row
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params, read_params

_TASK = ("instruction", "input", "type", "topic", "view", "difficulty")


def trace_row(wanted: str) -> dict[str, Any]:
    """Give what the files here hold of a row, by stage; `wanted` is its id, or the start of it.

    Raises:
        BadInput: no id begins with it, or several do.
    """
    params = read_params()
    reader = RowReader()
    id = _resolve(wanted, params, reader)
    row: dict[str, Any] = {"id": id, "task": _task(id, params, reader)}
    row |= trace_row_origin(id, params, reader)
    if training := trace_training_row(id, params, reader):
        row["checkpoint"] = training
    if tests := trace_test_item(id, params, reader):
        row["tests"] = tests
    return row | {"not_here": list(reader.not_here)}


def _resolve(wanted: str, params: Params, reader: RowReader) -> str:
    start = wanted.strip().lower()
    if not ID.fullmatch(start):
        raise BadInput(
            f"'{wanted}' is not the start of an id: give at least 4 of the digits 0-9 and a-f, as "
            f"in {paths.training_rows(params)}"
        )
    files = _files(params)
    ids = {found.row["id"] for path in files for found in reader.with_prefix(path, start)}
    if start in ids:
        return start
    if len(ids) > 1:
        some = name_some(sorted(ids))
        raise BadInput(f"'{start}': {len(ids)} ids begin with it: {some}; give more digits")
    if ids:
        return str(ids.pop())
    missing = f"; missing, so not searched: {name_some(list(reader.not_here))}; run `dvc pull`"
    raise BadInput(
        f"'{start}': no seed, instruction, response or test task of the current pipeline has such "
        f"an id{missing if reader.not_here else ''}"
    )


def _files(params: Params) -> list[Path]:
    """List the files with rows: what the pipeline starts from first."""
    stages = paths.stages_before_training(params)
    files = [paths.rows("seeds")] if "seeds" in stages else []
    files += [paths.instructions(params)] if "filtered" in stages else []
    files += [paths.dropped(stage) for stage in paths.WITH_DROPPED if stage in stages]
    files += [paths.answers_before_checks(params), *own_sources(params)]
    return [*files, *map(paths.test_set, params.tests)]


def _task(id: str, params: Params, reader: RowReader) -> dict[str, Any] | None:
    """Give the task itself; None for a dropped part of a reply that was no task."""
    for path in _files(params):
        if (found := reader.one(path, id)) and "instruction" in found.row:
            return {name: found.row[name] for name in _TASK if name in found.row}
    return None
