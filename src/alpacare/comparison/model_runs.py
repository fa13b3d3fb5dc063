"""The verdicts on one model: for each training seed the mean over the references that count."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from alpacare.core.errors import BadInput
from alpacare.evaluation.items import Preferences, gather, read_judgments
from alpacare.evaluation.paired_comparison import average_preferences
from alpacare.evaluation.score import Cell
from alpacare.evaluation.seed_variance import Runs
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params

CellReader = Callable[[Cell], Preferences]  # empty: the reference has not answered this test set


@dataclass(frozen=True)
class Model:
    """A student with its training seeds, or another model that competes, with none."""

    name: str
    seeds: tuple[int, ...] = ()

    def cells(self, test: str, reference: str, judge: str) -> list[Cell]:
        """Give its comparisons with a reference, one for each training seed."""
        return [Cell(test, self.name, seed, reference, judge) for seed in self.seeds or (None,)]

    def runs(self, test: str, references: Sequence[str], judge: str, read: CellReader) -> Runs:
        """Give its preferences, one mapping for each training seed; a mean over references.

        A reference that has not answered this test set does not count; no runs if none has.
        """
        names = [name for name in references if name != self.name]
        found = [[read(cell) for cell in self.cells(test, name, judge)] for name in names]
        judged = [each for each in found if any(each)]
        return [average_preferences(seed) for seed in zip(*judged, strict=True)]


def all_models(params: Params) -> list[Model]:
    """Give every model that competes: students, then contestants."""
    students = [Model(name, tuple(params.training_seeds)) for name in params.students]
    return students + [Model(name) for name in params.judgments.contestants]


def competing_references(params: Params) -> list[str]:
    """Name the references that no mean is over, as they compete themselves; students last."""
    judged = params.judgments
    names = [name for name in judged.references if name not in judged.averaged]
    return [*names, judged.head_to_head] if len(params.students) > 1 else names


def make_reader() -> CellReader:
    """Give a reader of the working tree's verdicts that reads each comparison once."""
    return lru_cache(maxsize=None)(read_cell)


def read_cell(cell: Cell) -> Preferences:
    """Read a comparison's verdicts in the working tree.

    Raises:
        BadInput: they are not there, or wrong.
    """
    path = paths.judgments(cell)
    if not path.exists():
        raise NotJudged(path)
    return gather(read_judgments(path)).by_id()


class NotJudged(BadInput):
    """A comparison of params.yaml whose verdicts are not here."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: not there yet; run `dvc repro`, or `alpacare pull`")
