"""Frames with a row for each test item or benchmark item: verdicts, grades, right and wrong.

As those in `frames`: `rev` is a commit, what is missing is left out with a warning.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from alpacare.comparison.benchmark_runs import benchmark_models
from alpacare.comparison.frames import make_frame, whole_numbers
from alpacare.comparison.leaderboard import named
from alpacare.comparison.model_runs import Model, all_models
from alpacare.comparison.project_files import ProjectFiles, open_project
from alpacare.core import jsonl
from alpacare.evaluation.items import ORDERS, gather, read_judgments
from alpacare.evaluation.rubric_scores import item_score
from alpacare.evaluation.score import Cell
from alpacare.pipeline import paths
from alpacare.records.benchmark_result import read_results
from alpacare.records.rubric import RubricJudgment
from alpacare.records.test_set import read_test_set

if TYPE_CHECKING:
    from pandas import DataFrame

_CELL = list(Cell._fields)
_KINDS = ["type", "topic", "view", "difficulty"]


def items(
    rev: str | None = None,
    *,
    test: str | None = None,
    judge: str | None = None,
    model: str | None = None,
) -> "DataFrame":
    """Give each item's verdict: a row a test set, item, model, seed, reference and judge.

    `preference`: win 1, tie 0.5, loss 0, the mean of both orders; missing if either cannot be read.
    `model_first`, `reference_first`: the verdict in that order, of several samples that of most.

    Raises:
        BadInput: an unknown name or commit (with those that there are), or nothing was judged.
    """
    import pandas as pd

    with open_project(rev) as files:
        cells = files.cells(test, judge, model)
        frames = [_item_frame(cell) for cell in cells if files.has(paths.judgments(cell))]
        kinds = make_frame(
            list(_kind_rows(files, {cell.test for cell in cells})), ["test", "id", *_KINDS]
        )
        files.check_found(frames)
    found = pd.concat(frames, ignore_index=True).merge(kinds, on=["test", "id"], how="left")
    return whole_numbers(found)


def rubric_grades(
    rev: str | None = None,
    *,
    test: str | None = None,
    judge: str | None = None,
    model: str | None = None,
) -> "DataFrame":
    """Give each item's grade by rubrics: a row a test set, item, model, seed and judge.

    `score`: points of the criteria met over all points that can be had, at most 1, missing if one
    of the `criteria` is `unread`; docs/rubrics.md. `tags`: a list, such as the item's theme.

    Raises:
        BadInput: an unknown name or commit (with those that there are), or nothing was graded.
    """
    with open_project(rev) as files:
        params = files.params
        graders = params.judgments.rubric_judges
        tests = named("test", test, params.tests, "tests")
        judges = named("judge", judge, graders, "judgments.rubric_judges")
        rows = [
            {"test": test, "id": row.id, "model": name, "seed": seed, "judge": judge, **_grade(row)}
            for test in tests
            for name, seed in _runs(all_models(params), model, "judgments.contestants")
            for judge in judges
            if files.has(path := paths.rubric_judgments(test, name, seed, judge))
            for row in jsonl.read(path, RubricJudgment, unique="id")
        ]
        files.check_found(rows, "no test set has rubrics, or judgments.rubric_judges is empty")
    return make_frame(rows)


def benchmark_results(
    rev: str | None = None, *, benchmark: str | None = None, model: str | None = None
) -> "DataFrame":
    """Give each benchmark item's result: a row a benchmark, item, model and seed.

    `score` is 0 to 1. `answer` and `chosen` are places of choices, from 0; other columns are those
    of the files (docs/benchmarks.md).

    Raises:
        BadInput: an unknown name or commit (with those that there are), or nothing has run.
    """
    with open_project(rev) as files:
        params = files.params
        rows = [
            {"benchmark": name, "id": row.id, "model": who, "seed": seed, **row.model_dump()}
            for name in named("benchmark", benchmark, params.benchmarks, "benchmarks")
            for who, seed in _runs(benchmark_models(params), model, "models.local")
            if files.has(path := paths.benchmark_results(name, who, seed))
            for row in read_results(path)
        ]
        files.check_found(rows, "params.yaml names no benchmarks")
    return make_frame(rows).astype({"chosen": "Int64"})


def _runs(models: Sequence[Model], name: str | None, others: str) -> list[tuple[str, int | None]]:
    """Give every training of the models, or of the one that is named; `others`: than students."""
    known = [each.name for each in models]
    chosen = named("model", name, known, f"students and {others}")
    return [(m.name, seed) for m in models if m.name in chosen for seed in m.seeds or (None,)]


def _grade(row: RubricJudgment) -> dict[str, Any]:
    met = [item.met for item in row.criteria]
    return {
        "score": item_score(row.criteria),
        "criteria": len(met),
        "met": met.count(True),
        "unread": met.count(None),
        "tags": row.tags,
    }


def _item_frame(cell: Cell) -> "DataFrame":
    import numpy as np
    import pandas as pd

    found = gather(read_judgments(paths.judgments(cell)))
    frame = pd.DataFrame({"test": cell.test, "id": found.ids})
    for name in _CELL[1:]:
        frame[name] = getattr(cell, name)
    frame["preference"] = found.item_preferences() + 0.5
    for order, preferences in zip(ORDERS, found.preferences.T, strict=True):
        cases = [preferences > 0, preferences == 0, preferences < 0]
        said = np.select(cases, ["model", "tie", "reference"], "")
        frame[order] = pd.Series(said, dtype="str").where(said != "")
    return whole_numbers(frame)


def _kind_rows(files: ProjectFiles, tests: set[str]) -> Iterator[dict[str, Any]]:
    for test in sorted(tests):
        path = paths.test_set(test)
        for task in read_test_set(path) if files.has(path) else ():
            yield {"test": test, **task.model_dump(include={"id", *_KINDS})}
