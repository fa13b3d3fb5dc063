"""The test items with all answers and verdicts, for the item browser of the page.

[{"test": "demo", "items": [{"id", "instruction", "input", "kind": ["open QA", ...],
  "difficulty": 2, "answers": {"all-rows": {"0": [text, finish reason], ...}, "terse": {"": ...}},
  "against": {"terse": {"all-rows": {"0": {"overlap": "T~m/r"}}}},
  "replies": {"terse": {"all-rows": {"0": {"overlap": [[order, reply, ratings], ...]}}}}}]}]

By model and training seed; "" of a model that is not trained here. Verdicts are short, as there may
be a hundred thousand: the outcome over both orders (W, L, T, or ? if unreadable), "~" where the
orders disagree, what was said with the model first, "/", and what with the reference first: m for
the model, r for the reference, t or ?, a letter for each sample.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from alpacare.comparison.model_runs import read_cell
from alpacare.core import jsonl
from alpacare.evaluation.agreement import verdict_of
from alpacare.evaluation.items import ORDERS, Items, Preferences, gather, read_judgments
from alpacare.evaluation.score import Cell
from alpacare.lineage.rows import RowReader
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params
from alpacare.records.generation import Generation
from alpacare.records.judgment import Judgment
from alpacare.records.task import TestTask
from alpacare.records.test_set import read_test_set

OUTCOMES = {"model": "W", "reference": "L", "tie": "T", None: "?"}
LETTERS = {"model": "m", "reference": "r", "tie": "t", None: "?"}
Item = dict[str, Any]


@dataclass(frozen=True)
class Browsed:
    """The items of every test set, the verdicts of each comparison, and the missing files."""

    tests: list[dict[str, Any]]
    verdicts: dict[Cell, Preferences]
    missing: list[str]

    def read(self, cell: Cell) -> Preferences:
        """Give a comparison's verdicts, which are read only once.

        Raises:
            BadInput: they are not there, or wrong.
        """
        return self.verdicts[cell] if cell in self.verdicts else read_cell(cell)


def gather_items(params: Params) -> Browsed:
    """Read the items of every test set.

    Raises:
        BadInput: a file that is here and cannot be read.
    """
    reader, verdicts = RowReader(), dict[Cell, Preferences]()
    sets = [
        {"test": test, "items": _items(test, params, reader, verdicts)} for test in params.tests
    ]
    return Browsed([each for each in sets if each["items"]], verdicts, list(reader.not_here))


def _items(
    test: str, params: Params, reader: RowReader, verdicts: dict[Cell, Preferences]
) -> list[Item]:
    """Give a test set's items that somebody answered."""
    path = paths.test_set(test)
    tasks = read_test_set(path) if reader.has(path) else []
    items = {task.id: _new_item(task) for task in tasks}
    answered = {
        (name, seed): _add_answers(items, test, name, seed, reader)
        for name, seed in _answering(params)
    }
    for cell in params.cells():
        path = paths.judgments(cell)
        if cell.test == test and answered[cell.model, cell.seed] and reader.has(path):
            rows = read_judgments(path)
            gathered = gather(rows)
            verdicts[cell] = gathered.by_id()
            _add_verdicts(items, cell, rows, gathered)
    return [item for item in items.values() if item["answers"]]


def _answering(params: Params) -> Iterator[tuple[str, int | None]]:
    """Give all whose answers are compared: students by seed, then the others."""
    yield from params.runs()
    judged = params.judgments
    for name in dict.fromkeys((*judged.contestants, *judged.references)):
        yield name, None


def _new_item(task: TestTask) -> Item:
    return {
        "id": task.id,
        "instruction": task.instruction,
        "input": task.input,
        "kind": [text for text in (task.type, task.topic, task.view) if text],
        "difficulty": task.difficulty,
        "answers": {},
        "against": {},
        "replies": {},
    }


def _add_answers(
    items: dict[str, Item], test: str, name: str, seed: int | None, reader: RowReader
) -> bool:
    """Add a model's answers; say whether there are any."""
    path = paths.answers(test, name, seed)
    rows = jsonl.read(path, Generation, unique="id") if reader.has(path) else []
    for row in rows:
        if row.id in items:
            answers = items[row.id]["answers"].setdefault(name, {})
            answers[_key(seed)] = [row.output, row.finish_reason]
    return bool(rows)


def _add_verdicts(
    items: dict[str, Item], cell: Cell, rows: list[Judgment], gathered: Items
) -> None:
    """Add what a judge said of a model and a reference."""
    for id, code in _codes(rows, gathered).items():
        if id in items:
            _judges(items[id]["against"], cell)[cell.judge] = code
    for row in rows:
        if row.id in items:
            said = _judges(items[row.id]["replies"], cell).setdefault(cell.judge, [])
            said.append([row.order, row.raw, row.ratings])


def _judges(pairs: dict[str, Any], cell: Cell) -> dict[str, Any]:
    """Give the place of what judges say of a model, its training seed and a reference."""
    seeds = pairs.setdefault(cell.reference, {}).setdefault(cell.model, {})
    judges: dict[str, Any] = seeds.setdefault(_key(cell.seed), {})
    return judges


def _key(seed: int | None) -> str:
    return "" if seed is None else str(seed)


def _codes(rows: list[Judgment], items: Items) -> dict[str, str]:
    """Write each item's verdicts; where one order is unreadable, the orders count as agreeing."""
    import numpy as np

    signs = np.sign(items.preferences)
    unlike = (signs[:, 0] != signs[:, 1]) & ~np.isnan(signs).any(axis=1)
    said = {id: dict.fromkeys(ORDERS, "") for id in items.ids}
    for row in rows:
        said[row.id][row.order] += LETTERS[row.verdict]
    whole = zip(items.ids, items.item_preferences().tolist(), unlike.tolist(), strict=True)
    return {
        id: f"{OUTCOMES[verdict_of(preference)]}{'~' * differ}{'/'.join(said[id].values())}"
        for id, preference, differ in whole
    }
