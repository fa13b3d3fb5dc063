"""Students whose training seeds are others now: no checkpoint of then has one of now to match."""

from collections.abc import Iterator

from alpacare.comparison.compare import compare_sides, shared_names
from alpacare.comparison.diff_rows import DiffRow, correct_rows
from alpacare.comparison.sides import Side, open_side
from alpacare.core.errors import BadInput
from alpacare.pipeline.params import Params


def rows_of_new_seeds(params: Params, rev: str) -> tuple[list[DiffRow], list[str]]:
    """Compare such students over all seeds of both versions; and say why some cannot be."""
    rows, notes = [], []
    for name in params.students:
        try:
            with open_side(f"{name}@{rev}") as then, open_side(name) as now:
                if not set(then.model.seeds) & set(now.model.seeds):
                    rows += list(_rows(params, then, now))
        except BadInput as error:
            notes.append(f"{name}: {error}")
    return correct_rows(rows, params.scores.confidence), notes


def _rows(params: Params, then: Side, now: Side) -> Iterator[DiffRow]:
    for test in shared_names("test", None, then.tests, now.tests):
        for judge in shared_names("judge", None, then.judges, now.judges):
            for row in compare_sides(params, then, now, test, judge):
                yield DiffRow(test, judge, now.model, row.against, row.found, row.seeds)
