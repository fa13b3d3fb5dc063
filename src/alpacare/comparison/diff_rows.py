"""What moved between two commits, by model: means over references, then single references."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from alpacare.comparison.diff_page import ComparedCell
from alpacare.comparison.model_runs import Model, all_models, competing_references
from alpacare.evaluation.paired_comparison import (
    Comparison,
    average_preferences,
    compare,
    paired_seeds,
)
from alpacare.evaluation.seed_variance import Runs, Seeds, pool_seeds
from alpacare.evaluation.several import correct_several
from alpacare.pipeline.params import Params


@dataclass(frozen=True)
class DiffRow:
    """One line of the table: a model against one reference, or the mean over several.

    `against` is "" for a score that no reference has a part in.
    `seeds`: how far trainings are apart, pooled, or changes of the same trainings.
    """

    test: str
    judge: str
    model: Model
    against: str
    comparison: Comparison
    seeds: Seeds

    @property
    def name(self) -> str:
        """Name the model, and what it is compared with."""
        return f"{self.model.name} against {self.against}" if self.against else self.model.name


@dataclass(frozen=True)
class Versions:
    """A model's runs then and now; `retrained`: they are not the same checkpoints."""

    then: Runs
    now: Runs
    retrained: bool


def make_rows(compared: Sequence[ComparedCell], params: Params) -> list[DiffRow]:
    """Compare each model; against references that compete too only where something changed."""
    rows: list[DiffRow] = []
    places = dict.fromkeys((each.cell.test, each.cell.judge) for each in compared)
    for test, judge in places:
        cells = [each for each in compared if (each.cell.test, each.cell.judge) == (test, judge)]
        for model in all_models(params):
            rows += _rows_of_model(cells, params, model)
    return correct_rows(rows, params.scores.confidence)


def correct_rows(rows: Sequence[DiffRow], confidence: float) -> list[DiffRow]:
    """Correct for the number of models that changed, before each judge and reference."""
    corrected = list(rows)
    for key in dict.fromkeys((row.test, row.judge, row.against) for row in rows):
        found = {
            place: difference
            for place, row in enumerate(rows)
            if (row.test, row.judge, row.against) == key
            and (difference := row.comparison.difference)
            and difference.changed
        }
        together = correct_several(list(found.values()), confidence)
        for place, difference in zip(found, together, strict=True):
            comparison = replace(rows[place].comparison, difference=difference)
            corrected[place] = replace(rows[place], comparison=comparison)
    return corrected


def _rows_of_model(
    cells: Sequence[ComparedCell], params: Params, model: Model
) -> Iterator[DiffRow]:
    own = [each.cell for each in cells if each.cell.model == model.name]
    groups = [params.judgments.averaged, *([name] for name in competing_references(params))]
    for place, names in enumerate(groups):
        found = [name for name in names if any(cell.reference == name for cell in own)]
        if not found:
            continue
        versions = _versions(cells, model, found)
        seeds = pool_versions(model, versions, list(_versions_of_students(cells, params, found)))
        paired = not versions.retrained
        comparison = compare(versions.then, versions.now, params.scores, paired, seeds)
        difference = comparison.difference
        if place == 0 or (difference and difference.changed):
            against = found[0] if len(found) == 1 else f"mean of {len(found)}"
            yield DiffRow(own[0].test, own[0].judge, model, against, comparison, seeds)


def pool_versions(model: Model, versions: Versions, students: Sequence[Versions]) -> Seeds:
    """Pool the luck of training over students.

    Of a student that was trained again it is that of both versions; else that of what changed in
    each checkpoint.
    """
    if versions.retrained:
        kept = [each.now for each in students]
        pooled = pool_seeds([*kept, *(each.then for each in students if each.retrained)])
        return pooled, pooled
    same = [(each.then, each.now) for each in students if not each.retrained]
    return paired_seeds(same, trained=bool(model.seeds))


def _versions_of_students(
    cells: Sequence[ComparedCell], params: Params, references: Sequence[str]
) -> Iterator[Versions]:
    """Give each student's runs against these references; of one that is one of them, the others'.

    Else there would be one student alone to learn from, where two compete.
    """
    for student in (each for each in all_models(params) if each.seeds):
        if student.name not in references:
            yield _versions(cells, student, references)
            continue
        others = [name for name in competing_references(params) if name != student.name]
        if others:
            yield _versions(cells, student, others[:1])


def _versions(cells: Sequence[ComparedCell], model: Model, references: Sequence[str]) -> Versions:
    own = [
        each
        for each in cells
        if each.cell.model == model.name and each.cell.reference in references
    ]
    then, now = (_runs(own, references, version) for version in (0, 1))
    return Versions(then, now, any(each.retrained for each in own))


def _runs(cells: Sequence[ComparedCell], references: Sequence[str], version: int) -> Runs:
    """Give a version's preferences, one mapping for each seed, over references all seeds have."""
    seeds = dict.fromkeys(each.cell.seed for each in cells)
    found = {(each.cell.seed, each.cell.reference): each.preferences[version] for each in cells}
    complete = [seed for seed in seeds if all((seed, name) in found for name in references)]
    return [average_preferences([found[seed, name] for name in references]) for seed in complete]
