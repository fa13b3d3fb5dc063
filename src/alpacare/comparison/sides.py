"""What `alpacare compare` is given: a model of params.yaml, or the same in another commit."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from alpacare.comparison.model_runs import CellReader, Model, read_cell
from alpacare.comparison.revisions import MissingFile, Revision, open_revision, trainings_behind
from alpacare.comparison.rubric_board import GradesReader, read_grades_here
from alpacare.core.errors import BadInput
from alpacare.core.settings import read_yaml
from alpacare.evaluation.items import Preferences, gather, read_judgments
from alpacare.evaluation.rubric_scores import Graded, read_grades
from alpacare.evaluation.score import Cell
from alpacare.pipeline import paths
from alpacare.pipeline.params import Run

_PARAMS = "params.yaml"
T = TypeVar("T")


@dataclass(frozen=True)
class Side:
    """One of the two that are compared: `label` as it was named, and what it was judged on.

    `graders` judge by rubrics, and `grades` gives what they say. `trainings`: the hashes of the
    checkpoints that answered a test set.
    """

    label: str
    model: Model
    tests: list[str]
    references: list[str]
    judges: list[str]
    read: CellReader
    trainings: Callable[[str], Mapping[str, str]]
    graders: list[str]
    grades: GradesReader = read_grades_here


@contextmanager
def open_side(label: str) -> Iterator[Side]:
    """Open NAME, of the working tree, or NAME@COMMIT.

    Raises:
        BadInput: there is no such commit, or no such model in its params.yaml.
    """
    name, at, rev = label.partition("@")
    if not at:
        side = _make_side(label, name, read_yaml(Path(_PARAMS)), _PARAMS, read_cell)
        yield replace(side, trainings=lambda test: _trainings_here(side.model, test))
        return
    with open_revision(rev) as revision:
        settings = revision.read(_PARAMS, read_yaml)

        def read(cell: Cell) -> Preferences:
            return _read_then(revision, cell)

        def grades(test: str, model: str, seed: int | None, judge: str) -> Graded:
            path = str(paths.rubric_judgments(test, model, seed, judge))
            return _then(revision, path, f"{test}, {model}", read_grades)

        side = _make_side(label, name, settings, f"{rev}:{_PARAMS}", read)
        yield replace(
            side, trainings=lambda test: _trainings(revision, side.model, test), grades=grades
        )


def same_trainings(one: Side, other: Side, test: str) -> bool:
    """Whether both are the same checkpoints, or the same untrained model."""
    return one.model == other.model and one.trainings(test) == other.trainings(test)


def _trainings_here(model: Model, test: str) -> Mapping[str, str]:
    with open_revision(None) as revision:
        return _trainings(revision, model, test)


def _trainings(revision: Revision, model: Model, test: str) -> Mapping[str, str]:
    files = [str(paths.generations(test, Run(model.name, seed))) for seed in model.seeds]
    return trainings_behind(revision, files)


def _make_side(label: str, name: str, settings: Any, path: str, read: CellReader) -> Side:
    """Find a model in settings that may be another commit's, so that they are not checked."""
    try:
        students, judged = settings["students"], settings["judgments"]
        seeds, contestants = settings["training_seeds"], judged["contestants"]
        judges = [*judged["judges"], *judged["local_judges"]]
        tests, references = settings["tests"], [*judged["references"], judged["head_to_head"]]
    except (KeyError, TypeError) as error:
        raise BadInput(f"{path}: names no students; it is older than this pipeline") from error
    if name not in (*students, *contestants):
        raise BadInput(
            f"{path}: no model '{name}'; students: {', '.join(students)}; other contestants: "
            f"{', '.join(contestants) or 'none'}"
        )
    model = Model(name, tuple(seeds) if name in students else ())
    graders = judged.get("rubric_judges") or []
    return Side(label, model, tests, references, judges, read, lambda test: {}, graders)


def _read_then(revision: Revision, cell: Cell) -> Preferences:
    return gather(_then(revision, str(paths.judgments(cell)), str(cell), read_judgments)).by_id()


def _then(revision: Revision, path: str, what: str, read: Callable[[Path], T]) -> T:
    if not revision.has(path):
        raise MissingFile(f"{revision.name(path)}: {what} had not been judged in that commit")
    return revision.read(path, read)
