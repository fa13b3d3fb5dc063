"""What judges will be shown: answers that are here and stay, and those that are still to come."""

from collections import Counter
from collections.abc import Iterator, Set
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.settings import read_yaml
from alpacare.evaluation.score import Cell
from alpacare.judging.rubric_request import GradedAnswer, pair_rubrics
from alpacare.pipeline import paths
from alpacare.pipeline.changes import changed_cells
from alpacare.pipeline.dvc_yaml import dependencies, writer
from alpacare.pipeline.params import Params
from alpacare.pipeline.quoting.plan_teaching import Teaching
from alpacare.pipeline.quoting.test_sets import TestSets
from alpacare.records.generation import Generation
from alpacare.records.pairs import pair_answers
from alpacare.records.shown_pair import ShownPair, show_both_orders
from alpacare.records.task import TestTask
from alpacare.stages.model_generations import written_answers

_ANSWERING = {
    *("student_rows", "base_model", "checkpoint"),
    *("generations", "server_generations", "local_generations"),
}


@dataclass(frozen=True)
class Shown:
    """Pairs of answers, in both orders; `times` as many in all, which are not here."""

    pairs: list[ShownPair]
    stays: bool = False  # no stage before will change them
    times: int = 1


@dataclass(frozen=True)
class Graded:
    """Answers that are graded alone; `times` as many in all, which are not here."""

    cases: list[GradedAnswer]
    stays: bool = False  # no stage before will change them
    times: int = 1


@dataclass(frozen=True)
class Pairs:
    """All pairs that are judged, by each judge that is a model behind an API."""

    params: Params
    tests: TestSets
    incomplete: Set[str]  # models behind an API that lack answers
    teaching: Teaching

    @cached_property
    def cells(self) -> list[Cell]:
        """Every test set, model and reference; the judge is left open."""
        return list(dict.fromkeys(cell._replace(judge="") for cell in self.params.cells()))

    @cached_property
    def here(self) -> list[Shown]:
        """Those whose answers are here, from the last run."""
        found = []
        for cell in self.cells:
            stays, files = cell in self._staying, _files(cell)
            if all(path.exists() for path in files):
                # answers that will change may be to other tasks than the reference's
                with nullcontext() if stays else suppress(BadInput):
                    found.append(Shown(show_both_orders(pair_answers(*files)), stays))
        return found

    @cached_property
    def to_come(self) -> list[Shown]:
        """Those whose answers are not here, or will change; the same for every student and seed."""
        coming = [cell for cell in self.cells if cell not in self._staying]
        alike = Counter(
            (cell.test, self._kind(cell.model), self._kind(cell.reference)) for cell in coming
        )
        return [self._expected(*kinds, times) for kinds, times in alike.items()]

    @cached_property
    def _staying(self) -> set[Cell]:
        return {cell for cell in self.cells if self._stays(cell)}

    def _stays(self, cell: Cell) -> bool:
        """Whether both sides' answers are here, and no stage will change them."""
        if cell.test not in self.tests.tasks or self.incomplete & {*_sides(cell)}:
            return False
        sides = zip(_sides(cell), _files(cell), strict=True)
        return all(self._side_stays(cell.test, name, path) for name, path in sides)

    def _side_stays(self, test: str, name: str, path: Path) -> bool:
        if not path.exists():
            return False
        if name in self.params.models.written:
            here = [row.output for row in jsonl.read(path, Generation)]
            answers = written_answers(self.tests.tasks[test], name, path)
            return here == [row.output for row in answers]
        if name in self.params.models.api:
            return True
        return not self.teaching.changes and writer(path) not in self._changed

    @cached_property
    def _changed(self) -> set[str]:
        """The cells that will answer again, as far as is known now."""
        try:
            return changed_cells(_ANSWERING)
        except BadInput:  # not a repository of DVC: nothing runs here
            return set()

    def _kind(self, name: str) -> str:
        """Give a model's name, or "" for one that runs here: its answers are not known yet."""
        models = self.params.models
        return name if name in (*models.written, *models.api) else ""

    def _expected(self, test: str, model: str, reference: str, times: int) -> Shown:
        """Fill in answers of the greatest length, one byte a token."""
        tasks = self.tests.tasks.get(test)
        if tasks is None:
            longest = self._fill([self.tests.longest], model, reference)
            return Shown(show_both_orders(list(longest)), times=times * self.tests.absent[test])
        for name in (model, reference):
            written = name in self.params.models.written
            if written and not any(name in task.answers for task in tasks):
                return Shown([])
        return Shown(show_both_orders(list(self._fill(tasks, model, reference))), times=times)

    @cached_property
    def graded(self) -> list[Cell]:
        """Every test set with rubrics, and each model whose answers are graded alone."""
        alone = dict.fromkeys(cell._replace(reference="") for cell in self.cells)
        return [cell for cell in alone if self.tests.graded(cell.test)]

    @cached_property
    def answers_here(self) -> list[Graded]:
        """Answers to items with rubrics that are here, from the last run."""
        found = []
        for cell in self.graded:
            path = paths.answers(cell.test, cell.model, cell.seed)
            if cell.test in self.tests.tasks and path.exists():
                stays = cell in self._graded_staying
                tasks = {task.id: task for task in self.tests.tasks[cell.test]}
                with nullcontext() if stays else suppress(BadInput):
                    rows = jsonl.read(path, Generation, unique="id")
                    found.append(Graded(pair_rubrics(tasks, rows, path), stays))
        return found

    @cached_property
    def answers_to_come(self) -> list[Graded]:
        """Answers to such items that are not here, or will change; of the greatest length."""
        found = []
        for cell in self.graded:
            if cell not in self._graded_staying:
                tasks = self.tests.graded(cell.test)
                written = cell.model in self.params.models.written
                if written and not any(cell.model in task.answers for task in tasks):
                    continue
                filled = [GradedAnswer(task, self._one(task, cell.model)) for task in tasks]
                found.append(Graded(filled, times=self.tests.absent.get(cell.test, 1)))
        return found

    @cached_property
    def _graded_staying(self) -> set[Cell]:
        return {
            cell
            for cell in self.graded
            if cell.test in self.tests.tasks
            and cell.model not in self.incomplete
            and self._side_stays(
                cell.test, cell.model, paths.answers(cell.test, cell.model, cell.seed)
            )
        }

    def _one(self, task: TestTask, model: str) -> Generation:
        return _placeholder(task, task.answers.get(model, self._longest(model)))

    def _fill(
        self, tasks: list[TestTask], model: str, reference: str
    ) -> Iterator[tuple[Generation, Generation]]:
        longest = [self._longest(name) for name in (model, reference)]
        for task in tasks:
            texts = map(task.answers.get, (model, reference), longest)
            one, other = (_placeholder(task, text or "") for text in texts)
            yield one, other

    def _longest(self, name: str) -> str:
        api = name in self.params.models.api
        return "x" * (_room_of(name) if api else self.params.generations.max_new_tokens)


def _sides(cell: Cell) -> tuple[str, str]:
    return cell.model, cell.reference


def _files(cell: Cell) -> tuple[Path, Path]:
    model, reference = (paths.answers(cell.test, name, cell.seed) for name in _sides(cell))
    return model, reference


def _room_of(name: str) -> int:
    """Give the most tokens of an answer by a model behind an API."""
    (prompts,) = dependencies("model_generations", "prompts/")
    settings = read_yaml(prompts / name / "settings.yaml")
    return max(settings.get(key) or 0 for key in ("max_tokens", "retry_max_tokens"))


def _placeholder(task: TestTask, output: str) -> Generation:
    return Generation(
        **task.model_dump(include={"id", "instruction", "input"}),
        output=output,
        generator="",
        finish_reason="unknown",
    )
