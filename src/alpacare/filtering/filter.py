"""Which tasks stay and why the others go: named heuristics, test sets, seeds, near-duplicates.

The stage `filtered` gives all tasks at once, `instructions` round by round while it counts what is
kept; both get the same decisions.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Literal, TypeVar

from pydantic import ConfigDict, Field

from alpacare.core.errors import BadInput
from alpacare.core.jsonl import Row
from alpacare.core.settings import Settings
from alpacare.filtering import tokens
from alpacare.filtering.contamination import Gate, Item, Near
from alpacare.filtering.heuristics import Heuristics, Screen
from alpacare.filtering.near_duplicates import (
    Advance,
    KeepFirst,
    KeepNone,
    local,
    pairs_across,
    quiet,
)
from alpacare.records.task import Question

_CHUNK = 1 << 14  # tasks held at a time


class FilteredSettings(Settings):
    """Section `filtered` of params.yaml.

    Others script this stage, so only the rule itself must be there: seeds and test sets are
    compared with if they are given.
    """

    rouge_l: float = Field(ge=0, le=1)
    keep: Literal["first", "none"]
    compare: Literal["instruction", "task"] = "instruction"
    tokenizer: Literal["latin", "unicode"] = "latin"
    against_seeds: bool = True
    heuristics: Heuristics = Heuristics()
    contamination: Literal["fail", "drop", "report"] = "drop"
    contamination_rouge_l: float = Field(default=0.7, ge=0, le=1)
    contamination_words: int | None = Field(default=13, gt=0)
    engine: Literal["local", "ray"] = "local"


class Line(Row):
    """A row of a file to filter, or to compare with: other fields may stand beside these."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)

    id: str
    instruction: str
    input: str = ""


Asked = Line | Question
T = TypeVar("T", bound=Asked)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a task goes; `witness` is an id, or words of the task itself."""

    reason: str
    witness: str
    score: float | None = None


@dataclass(frozen=True, slots=True)
class NearTest:
    """A task and the test task that is nearest to it."""

    task: Asked
    test: Asked
    score: float
    shared: str
    offends: bool


class Filter:
    """Takes tasks in rounds of any sizes and tells which of all so far go.

    `gone` is by position over all tasks ever added, `near_tests` holds the pairs with a test task
    that are worth a look, `unseen` counts tasks in letters that the tokenizer does not see.
    """

    def __init__(
        self, settings: FilteredSettings, seeds: Sequence[Asked] = (), tests: Sequence[Asked] = ()
    ) -> None:
        self.settings = settings
        self.added = 0
        self.unseen = 0
        self.gone: dict[int, Verdict] = {}
        self.near_tests: list[NearTest] = []
        self.seeds = seeds
        self.tests = tests
        # seeds, test sets and the join look at one text in turn
        self._tokenizer = lru_cache(2 * _CHUNK)(getattr(tokens, settings.tokenizer))
        self._screen = Screen(settings.heuristics, [(seed.id, seed.instruction) for seed in seeds])
        self._gate = self._open_gate()
        self._near = self._open_near()
        self._compared: list[int] = []  # positions of the tasks compared with each other
        self._ids: list[str] = []  # and their ids

    @property
    def kept(self) -> int:
        """How many of the tasks added so far stay."""
        return self.added - len(self.gone)

    def add(self, tasks: Iterable[Asked], advance: Advance = quiet) -> None:
        """Look at more tasks; `advance` is told how many more are done."""
        pairs = self._near.add(self._survivors(iter(tasks), advance), advance)
        for place, pair in pairs.items():
            witness = self._ids[pair.first if place == pair.second else pair.second]
            self.gone[self._compared[place]] = Verdict("rouge_l", witness, pair.score)

    def staying(self, tasks: Iterable[T]) -> list[T]:
        """Give those of `tasks`, which are all that were added, that stay."""
        return [task for position, task in enumerate(tasks) if position not in self.gone]

    @property
    def compared_seeds(self) -> int:
        """How many seeds tasks are compared with."""
        on = self.settings.against_seeds or self.settings.heuristics.same_as_seed
        return len(self.seeds) if on else 0

    def check_contamination(self) -> None:
        """Refuse tasks that stand in a test set, where the settings want that.

        Raises:
            BadInput: there are some, and `contamination` is "fail".
        """
        found = [near for near in self.near_tests if near.offends]
        if found and self.settings.contamination == "fail":
            worst = max(found, key=lambda near: near.score)
            words = f", shared words '{worst.shared}'" if worst.shared else ""
            raise BadInput(
                f"{len(found)} of {self.added} instructions stand in a test set, first of all "
                f"{worst.task.id} in {worst.test.id} (ROUGE-L {worst.score:.3f}{words}); set "
                "filtered.contamination to drop or report to go on"
            )

    def counts(self) -> dict[str, int]:
        """Count the tasks that went, by reason; what is switched on is there with 0."""
        switched = [name for name, on in self.settings.heuristics if on]
        reasons = [*switched, "contamination", "rouge_l_seed", "rouge_l"]
        return {**dict.fromkeys(reasons, 0), **Counter(v.reason for v in self.gone.values())}

    def _survivors(self, tasks: Iterator[Asked], advance: Advance) -> Iterator[str]:
        """Yield the text to compare of each task that passes everything else."""
        while chunk := list(islice(tasks, _CHUNK)):
            start, gone = self.added, len(self.gone)
            self.added += len(chunk)
            self._look_at(chunk, start)
            advance(len(self.gone) - gone)
            for position, task in enumerate(chunk, start=start):
                if position not in self.gone:
                    self._compared.append(position)
                    self._ids.append(task.id)
                    yield self._text(task)

    def _look_at(self, chunk: Sequence[Asked], start: int) -> None:
        for position, task in enumerate(chunk, start=start):
            if fired := self._screen.reason(task.instruction, task.input):
                self.gone[position] = Verdict(*fired)
            elif self.settings.tokenizer == "latin" and tokens.unseen(self._text(task)):
                self.unseen += 1
        self._compare_with_tests(chunk, start)
        self._compare_with_seeds(chunk, start)

    def _compare_with_tests(self, chunk: Sequence[Asked], start: int) -> None:
        if not self.tests:
            return
        texts = [self._text(task) for task in chunk]
        nearest = self._gate.look(texts, [_parts(task) for task in chunk])
        for position, near in enumerate(nearest, start=start):
            if near and position not in self.gone:
                self._hold(position, chunk[position - start], near)

    def _hold(self, position: int, task: Asked, near: Near) -> None:
        test = self.tests[near.item]
        self.near_tests.append(NearTest(task, test, near.score, near.shared, near.offends))
        if near.offends and self.settings.contamination != "report":
            self.gone[position] = Verdict("contamination", test.id, near.score)

    def _compare_with_seeds(self, chunk: Sequence[Asked], start: int) -> None:
        if not (self.seeds and self.settings.against_seeds):
            return
        seeds, texts = ([self._text(task) for task in side] for side in (self.seeds, chunk))
        for pair in pairs_across(seeds, texts, self.settings.rouge_l, self._tokenizer):
            verdict = Verdict("rouge_l_seed", self.seeds[pair.first].id, pair.score)
            before = self.gone.setdefault(start + pair.second, verdict)
            if before.reason == verdict.reason and pair.score > (before.score or 0):
                self.gone[start + pair.second] = verdict

    def _text(self, task: Asked) -> str:
        if self.settings.compare == "task":
            return f"{task.instruction}\n{task.input}"
        return task.instruction

    def _open_gate(self) -> Gate:
        items = [Item(self._text(test), _parts(test)) for test in self.tests]
        threshold, words = self.settings.contamination_rouge_l, self.settings.contamination_words
        return Gate(items, threshold, words, self._tokenizer)

    def _open_near(self) -> KeepFirst | KeepNone:
        pairs = local
        if self.settings.engine == "ray":
            from alpacare.filtering import ray_join

            pairs = ray_join.pairs
        rule = KeepFirst if self.settings.keep == "first" else KeepNone
        return rule(self.settings.rouge_l, self._tokenizer, pairs)


def _parts(task: Asked) -> tuple[str, str]:
    return task.instruction, task.input
