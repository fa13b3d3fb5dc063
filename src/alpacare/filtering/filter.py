"""The filter: which tasks are dropped, by heuristics, test sets, seeds and near-duplicates."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from alpacare.core.progress import RowsDone, ignore_progress
from alpacare.filtering.contamination_gate import ContaminationGate, MatchedTask
from alpacare.filtering.heuristics import HeuristicFilter
from alpacare.filtering.near_duplicates import KeepFirst, KeepNone, pairs_across
from alpacare.filtering.settings import FilteredSettings
from alpacare.filtering.task_texts import AnyRow, ComparedTexts

_CHUNK = 1 << 14  # tasks held at a time


T = TypeVar("T", bound=AnyRow)


@dataclass(frozen=True, slots=True)
class DropReason:
    """Why a task is dropped; `witness` is an id, or words of the task itself."""

    reason: str
    witness: str
    score: float | None = None


class Filter:
    """Takes tasks in rounds of any sizes; the same are dropped as if all had come at once.

    `dropped` is by position over all tasks ever added, `unseen` counts tasks in letters that the
    tokenizer does not see, which are not compared, and `by_input` those of which the input alone is
    compared.
    """

    def __init__(
        self, settings: FilteredSettings, seeds: Sequence[AnyRow] = (), tests: Sequence[AnyRow] = ()
    ) -> None:
        self.settings = settings
        self.added = 0
        self.unseen = 0
        self.dropped: dict[int, DropReason] = {}
        self.seeds = seeds
        self.tests = tests
        self.texts = ComparedTexts(settings, tests)
        self.by_input = 0
        known = [(seed.id, seed.instruction) for seed in seeds]
        self._heuristics = HeuristicFilter(settings.heuristics, known)
        self._gate = ContaminationGate(settings, tests, self.texts)
        self._near_duplicates = self._near_duplicate_rule()
        self._compared: list[int] = []  # positions of the tasks compared with each other
        self._ids: list[str] = []  # and their ids

    @property
    def matched(self) -> list[MatchedTask]:
        """The contamination matches to report."""
        return self._gate.matched

    @property
    def kept(self) -> int:
        """How many of the tasks added so far are kept."""
        return self.added - len(self.dropped)

    def add(self, tasks: Iterable[AnyRow], advance: RowsDone = ignore_progress) -> None:
        """Filter more tasks; `advance` is called with how many more are done.

        What rows share is seen in the first round, unless `texts.look_at` was called before.
        """
        if not self.texts.looked:
            tasks = list(tasks)
            if tasks:
                self.texts.look_at(tasks)
        pairs = self._near_duplicates.add(self._texts_to_compare(iter(tasks), advance), advance)
        for place, pair in pairs.items():
            witness = self._ids[pair.first if place == pair.second else pair.second]
            self.dropped[self._compared[place]] = DropReason("rouge_l", witness, pair.score)

    def kept_tasks(self, tasks: Iterable[T]) -> list[T]:
        """Give the kept ones of `tasks`, which are all that were added, in order."""
        return [task for position, task in enumerate(tasks) if position not in self.dropped]

    @property
    def compared_seeds(self) -> int:
        """How many seeds tasks are compared with."""
        on = self.settings.against_seeds or self.settings.heuristics.same_as_seed
        return len(self.seeds) if on else 0

    @property
    def chosen(self) -> str:
        """What is compared: the setting, or for "auto" what it chose; "mixed": row by row."""
        if self.settings.compare != "auto" or not self.by_input:
            return "instruction" if self.settings.compare == "auto" else self.settings.compare
        return "input" if self.texts.rows.constant else "mixed"

    def check_contamination(self) -> None:
        """Refuse contaminated tasks if `contamination` is "fail"; errors as `check` of the gate."""
        self._gate.check(self.added, "filtered")

    def counts(self) -> dict[str, int]:
        """Count the dropped tasks by reason; reasons that are switched on appear with 0."""
        switched = [name for name, on in self.settings.heuristics if on]
        reasons = [*switched, "contamination", "rouge_l_seed", "rouge_l"]
        found = Counter(drop.reason for drop in self.dropped.values())
        return {**dict.fromkeys(reasons, 0), **found}

    def _texts_to_compare(self, tasks: Iterator[AnyRow], advance: RowsDone) -> Iterator[str]:
        """Yield the text of each task that is not dropped for any other reason."""
        while chunk := list(islice(tasks, _CHUNK)):
            start, dropped = self.added, len(self.dropped)
            self.added += len(chunk)
            self._check_chunk(chunk, start)
            advance(len(self.dropped) - dropped)
            for position, task in enumerate(chunk, start=start):
                if position not in self.dropped:
                    self._compared.append(position)
                    self._ids.append(task.id)
                    yield self.texts.near_duplicate(task)

    def _check_chunk(self, chunk: Sequence[AnyRow], start: int) -> None:
        for position, task in enumerate(chunk, start=start):
            by_input = self.texts.by_input(task)
            repeated = by_input and self.settings.compare == "auto"
            if found := self._heuristics.drop_reason(task.instruction, task.input, repeated):
                self.dropped[position] = DropReason(*found)
                continue
            self.by_input += by_input
            self.unseen += self.texts.unseen(task)
        self._compare_with_tests(chunk, start)
        self._compare_with_seeds(chunk, start)

    def _compare_with_tests(self, chunk: Sequence[AnyRow], start: int) -> None:
        for position, near in enumerate(self._gate.compare(chunk), start=start):
            if near and position not in self.dropped and self._gate.drops(near):
                reason = DropReason("contamination", near.test.id, near.match.score)
                self.dropped[position] = reason

    def _compare_with_seeds(self, chunk: Sequence[AnyRow], start: int) -> None:
        if not (self.seeds and self.settings.against_seeds):
            return
        text = self.texts.near_duplicate
        seeds, texts = ([text(task) for task in side] for side in (self.seeds, chunk))
        for pair in pairs_across(seeds, texts, self.settings.rouge_l, self.texts.tokenizer):
            reason = DropReason("rouge_l_seed", self.seeds[pair.first].id, pair.score)
            before = self.dropped.setdefault(start + pair.second, reason)
            if before.reason == reason.reason and pair.score > (before.score or 0):
                self.dropped[start + pair.second] = reason

    def _near_duplicate_rule(self) -> KeepFirst | KeepNone:
        rule = KeepFirst if self.settings.keep == "first" else KeepNone
        if self.settings.engine == "local":
            return rule(self.settings.rouge_l, self.texts.tokenizer)
        from alpacare.filtering.ray_join import ray_pairs

        return rule(self.settings.rouge_l, self.texts.tokenizer, ray_pairs)
