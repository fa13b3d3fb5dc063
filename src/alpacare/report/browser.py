"""The test items with all answers and verdicts, for the page to be browsed.

[{"test": "demo", "items": [{"id", "instruction", "input", "kind": ["open QA", ...],
  "difficulty": 2, "answer": [text, finish reason], "against": {"terse": {"answer": [...],
  "judges": {"overlap": ["won", true, [[order, verdict, reply, ratings], ...]]}}}}]}]

A judge's entry is what the mean of both orders says, whether both say the same, and each verdict.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from alpacare.core import jsonl
from alpacare.evaluation.agreement import verdict_of
from alpacare.evaluation.items import Items, gather, read_judgments
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params
from alpacare.records.generation import Generation
from alpacare.records.judgment import Judgment
from alpacare.records.task import TestTask
from alpacare.records.test_set import read_tests

OUTCOMES = {"model": "won", "reference": "lost", "tie": "tied", None: "unreadable"}

Answers = Mapping[str, Generation]


def gather_items(params: Params) -> tuple[list[dict[str, Any]], list[str]]:
    """Give the items of every test set, and the files that are not here.

    Raises:
        BadInput: a file that is here and cannot be read.
    """
    shelf = _Shelf()
    sets = [_test_set(test, params, shelf) for test in params.tests]
    return [each for each in sets if each["items"]], shelf.missing


class _Shelf:
    """Reads files, and remembers those that are missing."""

    def __init__(self) -> None:
        self.missing: list[str] = []

    def has(self, path: Path) -> bool:
        """Tell whether a file is here."""
        if not path.exists():
            self.missing.append(str(path))
        return path.exists()

    def answers(self, path: Path) -> Answers:
        """Read answers by the id of their task; none if they are not here."""
        rows = jsonl.read(path, Generation, unique="id") if self.has(path) else []
        return {row.id: row for row in rows}


def _test_set(test: str, params: Params, shelf: _Shelf) -> dict[str, Any]:
    path = paths.test_set(test)
    tasks = {task.id: task for task in read_tests(path)} if shelf.has(path) else {}
    answered = shelf.answers(paths.generations(test))
    against = {
        name: _compare(test, name, params.judgments.judges, answered, shelf)
        for name in params.judgments.references
    }
    items = [
        _describe(task, answered[id])
        | {"against": {name: pairs[id] for name, pairs in against.items() if id in pairs}}
        for id, task in tasks.items()
        if id in answered
    ]
    return {"test": test, "items": items}


def _describe(task: TestTask, answer: Generation) -> dict[str, Any]:
    return {
        "id": task.id,
        "instruction": task.instruction,
        "input": task.input,
        "kind": [text for text in (task.type, task.topic, task.view) if text],
        "difficulty": task.difficulty,
        "answer": [answer.output, answer.finish_reason],
    }


def _compare(
    test: str, name: str, judges: Iterable[str], answered: Answers, shelf: _Shelf
) -> dict[str, dict[str, Any]]:
    """Give a reference's answers and the verdicts on them, by the id of the task."""
    answers = shelf.answers(paths.reference(test, name)) if answered else {}
    pairs: dict[str, dict[str, Any]] = {
        id: {"answer": [row.output, row.finish_reason], "judges": {}}
        for id, row in answers.items()
        if id in answered
    }
    for judge in judges if pairs else ():
        path = paths.judgments(test, name, judge)
        for id, entry in _judged(read_judgments(path) if shelf.has(path) else []).items():
            if id in pairs:
                pairs[id]["judges"][judge] = entry
    return pairs


def _judged(rows: list[Judgment]) -> dict[str, list[Any]]:
    entries: dict[str, list[Any]] = {}
    for id, outcome, same in _outcomes(gather(rows)) if rows else ():
        entries[id] = [outcome, same, []]
    for row in rows:
        entries[row.id][2].append([row.order, row.verdict, row.raw, row.ratings])
    return entries


def _outcomes(items: Items) -> Iterable[tuple[str, str, bool]]:
    """Say of each item who won, and whether both orders say so; True where one is unreadable."""
    import numpy as np

    signs = np.sign(items.leads)
    same = (signs[:, 0] == signs[:, 1]) | np.isnan(signs).any(axis=1)
    for id, lead, agreed in zip(items.ids, items.item_leads(), same, strict=True):
        yield id, OUTCOMES[verdict_of(lead)], bool(agreed)
