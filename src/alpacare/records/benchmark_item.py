"""One item of a benchmark, a row of data/benchmarks/NAME.jsonl, which lm-eval's task reads too.

{"id": "5e1f...", "question": "Which ...?", "choices": ["...", "..."], "answer": 1,
 "subject": "anatomy", "context": null}
and of a benchmark that wants a text: {"id": ..., "question": ..., "choices": [], "answer": "..."}
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.jsonl import Row
from alpacare.core.texts import comparable, counted, shows_nothing
from alpacare.records.task import Text

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # of choices, in order


def item_id(question: str, context: str | None, choices: Sequence[str]) -> str:
    """Make an item's id: 16 hex digits of the SHA-256 of question, context and choices."""
    content = json.dumps([question, context or "", *choices], ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


class BenchmarkItem(Row):
    """A question with its choices, of which one is right, or with the text that a good answer has.

    `answer` is the place of the right choice, from 0; without choices it is a text. `subject` is
    the field that a benchmark's own figures are split by, `context` what the question is about.
    """

    id: Text
    question: Text
    context: Text | None = None
    choices: list[str] = Field(default=[])
    answer: int | str
    subject: Text | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if isinstance(self.answer, int):
            self._check_choices(self.answer)
        elif self.choices:
            raise ValueError("'answer' must be the place of the right choice, a number from 0")
        elif shows_nothing(self.answer):
            raise ValueError("'answer' is empty; give the text that a good answer has")
        right = item_id(self.question, self.context, self.choices)
        if self.id != right:
            raise ValueError(f"id '{self.id}' is not the hash of question and choices ({right})")
        return self

    def _check_choices(self, answer: int) -> None:
        if not 2 <= len(self.choices) <= len(LETTERS):
            raise ValueError(f"{counted(len(self.choices), 'choice')}; give two to {len(LETTERS)}")
        if empty := [n for n, text in enumerate(self.choices) if shows_nothing(text)]:
            raise ValueError(f"choice {LETTERS[empty[0]]} is empty")
        if not 0 <= answer < len(self.choices):
            raise ValueError(
                f"the right answer, {answer}, is none of the {len(self.choices)} choices, "
                "which count from 0"
            )
        texts = [comparable(text).strip() for text in self.choices]
        if twice := [n for n, text in enumerate(texts) if n != answer and text == texts[answer]]:
            raise ValueError(
                f"two right answers: choices {LETTERS[min(answer, *twice)]} and "
                f"{LETTERS[max(answer, *twice)]} are the same text; keep one of them"
            )


def read_benchmark(path: Path) -> list[BenchmarkItem]:
    """Read a benchmark's items.

    Raises:
        BadInput: no rows, a bad row, two rows with one id, or choices in some rows only.
    """
    items = jsonl.read(path, BenchmarkItem, unique="id")
    if not items:
        raise BadInput(f"{path}: no items")
    if len({bool(item.choices) for item in items}) > 1:
        raise BadInput(f"{path}: some items have choices and some have none; make two benchmarks")
    return items
