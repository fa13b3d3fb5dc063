"""The results of a test task: each student's answer, other models', each judge's verdicts."""

import math
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from alpacare.compute.pinned_model import RANDOM
from alpacare.core.jsonl import validate
from alpacare.evaluation.items import gather
from alpacare.evaluation.rubric_scores import item_score
from alpacare.evaluation.score import Cell
from alpacare.lineage.requests import describe_request
from alpacare.lineage.rows import RowReader
from alpacare.pipeline import paths
from alpacare.pipeline.dvc_yaml import outputs
from alpacare.pipeline.params import Params, Run
from alpacare.records.judgment import Judgment
from alpacare.records.rubric import RubricJudgment

_ANSWER = ("generator", "finish_reason", "tokens", "input_left_out", "output")
_VERDICT = ("order", "verdict", "sample", "tries", "raw", "ratings")
_SCORE = ("win_rate", "ci_low", "ci_high", "n", "n_valid")
_RUBRIC_SCORE = ("score", "ci_low", "ci_high", "n", "items")


def trace_test_item(id: str, params: Params, reader: RowReader) -> list[dict[str, Any]]:
    """Give, for each test set with this task, the answers to it, the verdicts and the grades."""
    judged = params.judgments
    others = dict.fromkeys([*judged.contestants, *judged.references])
    return [
        {
            "test": test,
            "generations": [_generation(reader, id, test, run) for run in params.runs()],
            "models": {name: _answer(reader, id, paths.answers(test, name)) for name in others},
            "judgments": [
                _judged(id, cell, reader) for cell in params.cells() if cell.test == test
            ],
            "rubrics": list(_grades(id, test, params, reader)) if task.row.get("rubrics") else [],
        }
        for test in params.tests
        if (task := reader.one(paths.test_set(test), id))
    ]


def _generation(reader: RowReader, id: str, test: str, run: Run) -> dict[str, Any]:
    """Give a student's answer, and what made the student: its rows, its base."""
    folder = paths.checkpoint(run)
    training = reader.json(folder / "training.json")
    base = training["settings"].get("base") if training else None
    if base == RANDOM:
        base = str(outputs("base_model", "models/")[0])
    origin = {
        "student": run.student,
        "seed": run.seed,
        "checkpoint": str(folder),
        "rows": str(paths.student_rows(run.student)),
        "examples": training["examples"] if training else None,
        "base": base,
    }
    return origin | {"answer": _answer(reader, id, paths.generations(test, run))}


def _answer(reader: RowReader, id: str, path: Path) -> dict[str, Any] | None:
    found = reader.one(path, id)
    return {name: found.row.get(name) for name in _ANSWER} if found else None


def _judged(id: str, cell: Cell, reader: RowReader) -> dict[str, Any]:
    path = paths.judgments(cell)
    rows = [validate(Judgment, row, f"{path}: {id}") for row in reader.all(path, id)]
    return {
        "model": cell.model,
        "seed": cell.seed,
        "reference": cell.reference,
        "judge": cell.judge,
        "verdicts": [
            {name: getattr(row, name) for name in _VERDICT}
            | {"request": describe_request(row.request, reader) if row.request else None}
            for row in rows
        ],
        "points": _points(rows),
        "score": _score_of_all(paths.score(cell), _SCORE, reader),
    }


def _score_of_all(path: Path, names: Sequence[str], reader: RowReader) -> dict[str, Any] | None:
    score = reader.json(path)
    return {"file": str(path)} | {name: score[name] for name in names} if score else None


def _points(rows: Sequence[Judgment]) -> float | None:
    """Give the item's score: 1 won, 0 lost; None if the verdict in one order is unreadable."""
    if not rows:
        return None
    (preference,) = gather(rows).by_id().values()
    return None if math.isnan(preference) else 0.5 + preference


def _grades(id: str, test: str, params: Params, reader: RowReader) -> Iterator[dict[str, Any]]:
    """Give each judge's grade of each model's answer; no `item_score` if a criterion is unread."""
    models = [*params.runs(), *((name, None) for name in params.judgments.contestants)]
    for (model, seed), judge in product(models, params.judgments.rubric_judges):
        path = paths.rubric_judgments(test, model, seed, judge)
        found = reader.one(path, id)
        row = validate(RubricJudgment, found.row, f"{path}: {id}") if found else None
        share = item_score(row.criteria) if row else None
        yield {
            "model": model,
            "seed": seed,
            "judge": judge,
            "item_score": None if share is None or math.isnan(share) else share,
            "criteria": [each.model_dump() for each in row.criteria] if row else [],
            "replies": [each.model_dump() for each in row.replies] if row else [],
            "score": _score_of_all(
                paths.rubric_score(test, model, seed, judge), _RUBRIC_SCORE, reader
            ),
        }
