"""What judges will be shown: answers that are here and stay, and those that are still to come."""

from collections.abc import Collection, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.settings import read_yaml
from alpacare.pipeline import paths
from alpacare.pipeline.changes import changed_stages
from alpacare.pipeline.dvc_yaml import dependencies
from alpacare.pipeline.params import Params
from alpacare.pipeline.quoting.plan_teaching import Teaching
from alpacare.pipeline.quoting.test_sets import TestSets
from alpacare.records.generation import Generation
from alpacare.records.pairs import pair_answers
from alpacare.records.shown_pair import ShownPair, show_both_orders
from alpacare.records.task import TestTask
from alpacare.stages.references import written_answers

_ANSWERING = {
    *("checkpoint", "generations", "server_generations", "base_generations", "local_references"),
}


@dataclass(frozen=True)
class Shown:
    """Pairs of answers, in both orders; `times` more of them in a test set that is not here."""

    pairs: list[ShownPair]
    stays: bool = False  # no stage before will change them
    times: int = 1


@dataclass(frozen=True)
class Pairs:
    """All pairs that are judged."""

    params: Params
    tests: TestSets
    incomplete: Collection[str]  # references that lack answers
    teaching: Teaching

    @property
    def cells(self) -> list[tuple[str, str]]:
        """Every test set and reference."""
        return list(product(self.params.tests, self.params.judgments.references))

    @cached_property
    def here(self) -> list[Shown]:
        """Those whose answers are here, from the last run."""
        found = []
        for cell in self.cells:
            stays, files = cell in self._staying, self._files(*cell)
            if all(path.exists() for path in files):
                # answers that will change may be to other tasks than the reference's
                with nullcontext() if stays else suppress(BadInput):
                    found.append(Shown(show_both_orders(pair_answers(*files)), stays))
        return found

    @cached_property
    def to_come(self) -> list[Shown]:
        """Those whose answers are not here, or will change."""
        return [self._expected(*cell) for cell in self.cells if cell not in self._staying]

    @cached_property
    def _staying(self) -> set[tuple[str, str]]:
        return {cell for cell in self.cells if self._stays(*cell)}

    @cached_property
    def _changing(self) -> bool:
        """Whether the student will answer anew."""
        if self.teaching.changes:
            return True
        try:
            return not _ANSWERING.isdisjoint(changed_stages())
        except BadInput:  # not a repository of DVC: nothing runs here
            return False

    def _files(self, test: str, reference: str) -> tuple[Path, Path]:
        return paths.generations(test), paths.reference(test, reference)

    def _stays(self, test: str, reference: str) -> bool:
        """Whether both sides' answers are here, and no stage will change them."""
        if test not in self.tests.tasks or reference in self.incomplete:
            return False
        generations, answers = self._files(test, reference)
        if not (generations.exists() and answers.exists()) or self._changing:
            return False
        if reference not in self.params.references.written:
            return True
        here = [row.output for row in jsonl.read(answers, Generation)]
        tasks = self.tests.tasks[test]
        return here == [row.output for row in written_answers(tasks, reference, answers)]

    def _expected(self, test: str, reference: str) -> Shown:
        """Fill in answers of the greatest length, one byte a token."""
        written = reference in self.params.references.written
        if test in self.tests.tasks:
            tasks = self.tests.tasks[test]
            if written and not any(reference in task.answers for task in tasks):
                return Shown([])
            return Shown(show_both_orders(list(self._fill(tasks, reference))))
        longest = self._fill([self.tests.longest], reference)
        return Shown(show_both_orders(list(longest)), times=self.tests.absent[test])

    def _fill(
        self, tasks: list[TestTask], reference: str
    ) -> Iterator[tuple[Generation, Generation]]:
        room = "x" * self.params.generations.max_new_tokens
        asked = reference in self.params.references.api
        other = "x" * _room_of(reference) if asked else room
        for task in tasks:
            yield _placeholder(task, room), _placeholder(task, task.answers.get(reference, other))


def _room_of(reference: str) -> int:
    """Give the most tokens of an answer by a reference behind an API."""
    (prompts,) = dependencies("references", "prompts/")
    settings = read_yaml(prompts / reference / "settings.yaml")
    return max(settings.get(name) or 0 for name in ("max_tokens", "retry_max_tokens"))


def _placeholder(task: TestTask, output: str) -> Generation:
    return Generation(
        **task.model_dump(include={"id", "instruction", "input"}),
        output=output,
        generator="",
        finish_reason="unknown",
    )
