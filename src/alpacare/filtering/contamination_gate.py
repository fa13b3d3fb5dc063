"""The contamination gate: rows that match a test task are dropped, reported, or refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import model_validator

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.filtering.contamination import (
    REPORTED_FROM,
    ContaminationIndex,
    ContaminationMatch,
)
from alpacare.filtering.settings import ContaminationSettings
from alpacare.filtering.task_texts import AnyRow, ComparedTexts, TaskRow
from alpacare.records.message import Messages

_FEWEST = 20  # characters of a question in a test conversation that is compared by itself


@dataclass(frozen=True, slots=True)
class MatchedTask:
    """A row and the test task nearest to it."""

    task: AnyRow
    test: AnyRow
    match: ContaminationMatch


class _TestRow(TaskRow):
    """A test task, or an item of a benchmark: question and options, and as input its context.

    Different questions share a stem ("Which of the following is true of ...?"), and no options. So
    `question`, the stem alone, counts only where a row has the very same words and no input. The
    instruction of a conversation is all its turns.
    """

    question: str = ""
    messages: Messages = None

    @model_validator(mode="before")
    @classmethod
    def _of_benchmark(cls, values: Any) -> Any:
        if not isinstance(values, dict) or "instruction" in values or "question" not in values:
            return values
        choices = values.get("choices")
        options = map(str, choices if isinstance(choices, list) else ())
        asked = "\n".join([str(values["question"]), *options])
        input = values.get("context") or ""
        return {**values, "instruction": asked, "input": input}

    def asked(self, id: str) -> list[TaskRow]:
        """Give the texts that training rows are compared with."""
        asked = [turn.content for turn in self.messages or () if turn.role == "user"]
        questions = [text for text in asked if len(text) >= _FEWEST]
        return [
            self.model_copy(update={"id": id, "messages": None}),
            *(TaskRow(id=id, instruction=text) for text in questions),
        ]


class ContaminationGate:
    """Compares rows with test tasks; `matched` holds the matches counted so far."""

    def __init__(
        self,
        settings: ContaminationSettings,
        tests: Sequence[AnyRow],
        texts: ComparedTexts,
        reported_from: float = REPORTED_FROM,
    ) -> None:
        """Take the test tasks; `texts` must have looked at rows before the first are compared.

        Rows that score `reported_from` or more are matches, contaminated or not.
        """
        self.matched: list[MatchedTask] = []
        self._settings = settings
        self._tests = tests
        self._texts = texts
        self._reported_from = reported_from
        self._index: ContaminationIndex | None = None  # once it is seen what rows share

    def compare(self, rows: Sequence[AnyRow]) -> list[MatchedTask | None]:
        """Give each row's nearest test task, if it is near."""
        if not self._tests:
            return [None] * len(rows)
        self._index = self._index or self._index_of_tests()
        matches = self._index.matches([self._texts.contamination(row) for row in rows])
        return [
            MatchedTask(row, self._tests[match.task], match) if match else None
            for row, match in zip(rows, matches, strict=True)
        ]

    def drops(self, matched: MatchedTask) -> bool:
        """Count a match; say whether the row goes."""
        self.matched.append(matched)
        return matched.match.contaminated and self._settings.contamination != "report"

    def check(self, total: int, section: str) -> None:
        """Refuse contaminated rows if `contamination` is "fail"; `total` rows were compared.

        Raises:
            BadInput: there are some.
        """
        found = [each for each in self.matched if each.match.contaminated]
        if found and self._settings.contamination == "fail":
            worst = max(found, key=lambda each: each.match.score)
            words = f", shared words '{worst.match.shared}'" if worst.match.shared else ""
            raise BadInput(
                f"{len(found)} of {total} instructions match a test task; the nearest is "
                f"{worst.task.id}, which matches {worst.test.id} (ROUGE-L "
                f"{worst.match.score:.3f}{words}); set {section}.contamination to drop or report "
                "to go on"
            )

    def _index_of_tests(self) -> ContaminationIndex:
        return ContaminationIndex(
            [self._texts.contamination(test) for test in self._tests],
            self._settings.contamination_rouge_l,
            self._settings.contamination_words,
            self._texts.tokenizer,
            self._reported_from,
        )


def find_contaminated(
    rows: Sequence[AnyRow],
    whole: Sequence[AnyRow],
    tests: Sequence[AnyRow],
    settings: ContaminationSettings,
    section: str,
) -> list[MatchedTask]:
    """Give the rows that match a test task, in order; `whole`: all rows of the file they are from.

    What rows share is seen in the whole file, so that a row's result is the same for any choice.

    Raises:
        BadInput: there are some, and `contamination` is "fail".
    """
    texts = ComparedTexts(settings, tests)
    texts.look_at(whole)
    gate = ContaminationGate(settings, tests, texts, reported_from=1.0)
    for matched in filter(None, gate.compare(rows)):
        gate.drops(matched)
    gate.check(len(rows), section)
    return [each for each in gate.matched if each.match.contaminated]


def read_test_sets(paths: Sequence[Path]) -> list[TaskRow]:
    """Read test sets and benchmarks, also whole folders; a task's id becomes "set/id".

    A conversation gives a row for all of it, and one for each question in it, of the same id.

    Raises:
        BadInput: a set that cannot be read or is empty, a folder without one, two of one name.
    """
    sets: dict[str, list[TaskRow]] = {}
    for path in paths:
        files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
        for file in files:
            name = file.stem
            if name in sets:
                raise BadInput(f"{file}: there is another test set named '{name}'; rename one")
            rows = jsonl.read(file, _TestRow, unique="id")
            sets[name] = [each for row in rows for each in row.asked(f"{name}/{row.id}")]
        if not all(sets[file.stem] for file in files) or not files:
            raise BadInput(f"{path}: no test tasks")
    return [row for rows in sets.values() for row in rows]
