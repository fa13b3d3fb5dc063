"""The test items with all answers and verdicts, for the item browser of the page.

[{"test": "demo", "items": [{"id", "instruction", "input", "kind": ["open QA", ...],
  "difficulty": 2, "answer": [text, finish reason], "against": {"terse": {"answer": [...],
  "judges": {"overlap": ["won", true, [[order, verdict, reply, ratings], ...]]}}}}]}]

A judge's entry: the outcome over both orders, whether both orders agree, and each verdict.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from alpacare.comparison.diff_page import AnswersById
from alpacare.core import jsonl
from alpacare.evaluation.agreement import verdict_of
from alpacare.evaluation.items import gather, read_judgments
from alpacare.lineage.rows import RowReader
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params
from alpacare.records.generation import Generation
from alpacare.records.judgment import Judgment
from alpacare.records.test_set import read_test_set

OUTCOMES = {"model": "won", "reference": "lost", "tie": "tied", None: "unreadable"}


def gather_items(params: Params) -> tuple[list[dict[str, Any]], list[str]]:
    """Give the items of every test set, and the missing files.

    Raises:
        BadInput: a file that is here and cannot be read.
    """
    reader = RowReader()
    sets = [_test_set(test, params, reader) for test in params.tests]
    return [each for each in sets if each["items"]], list(reader.not_here)


def _answers(path: Path, reader: RowReader) -> AnswersById:
    """Read answers by the id of their task; none if the file is missing."""
    rows = jsonl.read(path, Generation, unique="id") if reader.has(path) else []
    return {row.id: row for row in rows}


def _test_set(test: str, params: Params, reader: RowReader) -> dict[str, Any]:
    path = paths.test_set(test)
    tasks = {task.id: task for task in read_test_set(path)} if reader.has(path) else {}
    answered = _answers(paths.generations(test), reader)
    against = {
        name: _compare(test, name, params.judgments.all_judges, answered, reader)
        for name in params.judgments.references
    }
    items = [
        {
            "id": id,
            "instruction": task.instruction,
            "input": task.input,
            "kind": [text for text in (task.type, task.topic, task.view) if text],
            "difficulty": task.difficulty,
            "answer": [answered[id].output, answered[id].finish_reason],
            "against": {name: pairs[id] for name, pairs in against.items() if id in pairs},
        }
        for id, task in tasks.items()
        if id in answered
    ]
    return {"test": test, "items": items}


def _compare(
    test: str, name: str, judges: Iterable[str], answered: AnswersById, reader: RowReader
) -> dict[str, dict[str, Any]]:
    """Give a reference's answers and the verdicts on them, by the id of the task."""
    answers = _answers(paths.reference(test, name), reader) if answered else {}
    pairs: dict[str, dict[str, Any]] = {
        id: {"answer": [row.output, row.finish_reason], "judges": {}}
        for id, row in answers.items()
        if id in answered
    }
    for judge in judges if pairs else ():
        path = paths.judgments(test, name, judge)
        for id, entry in _judge_entries(read_judgments(path) if reader.has(path) else []).items():
            if id in pairs:
                pairs[id]["judges"][judge] = entry
    return pairs


def _judge_entries(rows: list[Judgment]) -> dict[str, list[Any]]:
    """Give each item's outcome, whether both orders agree, and its verdicts.

    Where one order is unreadable, they count as agreeing.
    """
    import numpy as np

    if not rows:
        return {}
    items = gather(rows)
    signs = np.sign(items.preferences)
    same = (signs[:, 0] == signs[:, 1]) | np.isnan(signs).any(axis=1)
    entries: dict[str, list[Any]] = {
        id: [OUTCOMES[verdict_of(preference)], bool(agreed), []]
        for id, preference, agreed in zip(items.ids, items.item_preferences(), same, strict=True)
    }
    for row in rows:
        entries[row.id][2].append([row.order, row.verdict, row.raw, row.ratings])
    return entries
