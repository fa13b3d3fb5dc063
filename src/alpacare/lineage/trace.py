"""`alpacare trace`: one row from seed to judgment."""

from pathlib import Path
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.display.text import name_some
from alpacare.lineage.benchmark_item import trace_benchmark_item
from alpacare.lineage.origin import own_sources, trace_row_origin
from alpacare.lineage.rows import ID, RowReader
from alpacare.lineage.test_item import trace_test_item
from alpacare.lineage.training_row import trace_training_row
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params, read_params

_TASK = ("instruction", "input", "type", "topic", "view", "difficulty")
_ITEM = ("question", "context", "choices", "answer", "subject")  # of a benchmark


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
    if benchmarks := trace_benchmark_item(id, params, reader):
        row["benchmarks"] = benchmarks
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
    missing = f"; missing, so not searched: {name_some(list(reader.not_here))}; run `alpacare pull`"
    raise BadInput(
        f"'{start}': no seed, instruction, response, test task or benchmark item of the current "
        f"pipeline has such an id{missing if reader.not_here else ''}"
    )


def _files(params: Params) -> list[Path]:
    """List the files with rows: what the pipeline starts from first."""
    stages = paths.stages_before_training(params)
    files = [paths.rows("seeds")] if "seeds" in stages else []
    files += [paths.instructions(params)] if "filtered" in stages else []
    files += [paths.dropped(stage) for stage in paths.WITH_DROPPED if stage in stages]
    files += [paths.answers_before_checks(params), *own_sources(params)]
    files += [paths.test_set(test) for test in params.tests]
    return [*files, *(paths.benchmark(name)[1] for name in params.benchmarks)]


def _task(id: str, params: Params, reader: RowReader) -> dict[str, Any] | None:
    """Give the task or benchmark item itself; None for a dropped part of a reply that was none."""
    for path in _files(params):
        row = found.row if (found := reader.one(path, id)) else {}
        for first, *others in (_TASK, _ITEM):
            if first in row:
                return {name: row[name] for name in (first, *others) if name in row}
    return None
