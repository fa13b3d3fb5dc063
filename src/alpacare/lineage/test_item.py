"""What became of a test task: the student's answer, the references', every judge's verdicts."""

import math
from collections.abc import Sequence
from typing import Any

from alpacare.core.jsonl import validate
from alpacare.evaluation.items import gather
from alpacare.lineage.requests import describe
from alpacare.lineage.rows import Shelf
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params
from alpacare.records.judgment import Judgment

_ANSWER = ("generator", "finish_reason", "tokens", "input_left_out", "output")
_VERDICT = ("order", "verdict", "sample", "tries", "raw", "ratings")
_SCORE = ("win_rate", "ci_low", "ci_high", "n", "n_valid")


def tried(id: str, params: Params, shelf: Shelf) -> list[dict[str, Any]]:
    """Tell, for each test set that has the task, who answered it and what the judges said."""
    return [
        {
            "test": test,
            "generation": _answer(shelf, id, paths.generations(test)),
            "references": {
                name: _answer(shelf, id, paths.reference(test, name))
                for name in params.judgments.references
            },
            "judgments": [_judged(id, cell, shelf) for cell in params.cells() if cell[0] == test],
        }
        for test in params.tests
        if shelf.one(paths.test_set(test), id)
    ]


def _answer(shelf: Shelf, id: str, path: Any) -> dict[str, Any] | None:
    found = shelf.one(path, id)
    return {name: found.row.get(name) for name in _ANSWER} if found else None


def _judged(id: str, cell: tuple[str, str, str], shelf: Shelf) -> dict[str, Any]:
    path = paths.judgments(*cell)
    rows = [validate(Judgment, row, f"{path}: {id}") for row in shelf.all(path, id)]
    score = shelf.json(paths.score(*cell))
    return {
        "reference": cell[1],
        "judge": cell[2],
        "verdicts": [
            {name: getattr(row, name) for name in _VERDICT}
            | {"request": describe(row.request, shelf) if row.request else None}
            for row in rows
        ],
        "points": _points(rows),
        "score": {"file": str(paths.score(*cell))} | {name: score[name] for name in _SCORE}
        if score
        else None,
    }


def _points(rows: Sequence[Judgment]) -> float | None:
    """Give the item's part of the win rate: 1 won, 0 lost; None if an order cannot be read."""
    if not rows:
        return None
    (lead,) = gather(rows).by_id().values()
    return None if math.isnan(lead) else 0.5 + lead
