"""The results of a test task: the student's answer, the references', each judge's verdicts."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alpacare.core.jsonl import validate
from alpacare.evaluation.items import gather
from alpacare.evaluation.score import Cell
from alpacare.lineage.requests import describe_request
from alpacare.lineage.rows import RowReader
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params
from alpacare.records.judgment import Judgment

_ANSWER = ("generator", "finish_reason", "tokens", "input_left_out", "output")
_VERDICT = ("order", "verdict", "sample", "tries", "raw", "ratings")
_SCORE = ("win_rate", "ci_low", "ci_high", "n", "n_valid")


def trace_test_item(id: str, params: Params, reader: RowReader) -> list[dict[str, Any]]:
    """Give, for each test set with this task, the answers to it and the verdicts on them."""
    return [
        {
            "test": test,
            "generation": _answer(reader, id, paths.generations(test)),
            "references": {
                name: _answer(reader, id, paths.reference(test, name))
                for name in params.judgments.references
            },
            "judgments": [
                _judged(id, cell, reader) for cell in params.cells() if cell.test == test
            ],
        }
        for test in params.tests
        if reader.one(paths.test_set(test), id)
    ]


def _answer(reader: RowReader, id: str, path: Path) -> dict[str, Any] | None:
    found = reader.one(path, id)
    return {name: found.row.get(name) for name in _ANSWER} if found else None


def _judged(id: str, cell: Cell, reader: RowReader) -> dict[str, Any]:
    path = paths.judgments(*cell)
    rows = [validate(Judgment, row, f"{path}: {id}") for row in reader.all(path, id)]
    score = reader.json(paths.score(*cell))
    return {
        "reference": cell.reference,
        "judge": cell.judge,
        "verdicts": [
            {name: getattr(row, name) for name in _VERDICT}
            | {"request": describe_request(row.request, reader) if row.request else None}
            for row in rows
        ],
        "points": _points(rows),
        "score": {"file": str(paths.score(*cell))} | {name: score[name] for name in _SCORE}
        if score
        else None,
    }


def _points(rows: Sequence[Judgment]) -> float | None:
    """Give the item's score: 1 won, 0 lost; None if the verdict in one order is unreadable."""
    if not rows:
        return None
    (preference,) = gather(rows).by_id().values()
    return None if math.isnan(preference) else 0.5 + preference
