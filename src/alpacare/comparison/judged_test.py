"""What a leaderboard is made of: each model's verdicts on one test set, by one judge."""

from collections.abc import Sequence
from dataclasses import dataclass

from alpacare.comparison.model_runs import CellReader, Model, NotJudged, all_models
from alpacare.evaluation.crossed import mean_win_rate
from alpacare.evaluation.items import read_judgments, sample_variance
from alpacare.evaluation.score import Cell, Rate
from alpacare.evaluation.seed_variance import NOT_TRAINED, Runs, SeedVariance, pool_seeds
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params


@dataclass(frozen=True)
class JudgedTest:
    """A test set before a judge, as it is in files."""

    params: Params
    test: str
    judge: str
    read: CellReader

    def averaged(self) -> tuple[dict[Model, Runs], list[str]]:
        """Give each model's runs, means over references, and what is said of those without."""
        found, missing = {}, []
        for model in all_models(self.params):
            try:
                runs = model.runs(self.test, self.references(model), self.judge, self.read)
            except NotJudged as error:
                missing.append(f"{model.name}: {error}")
                continue
            if runs:  # else no reference has answered the test set
                found[model] = runs
        return found, missing

    def references(self, model: Model) -> list[str]:
        """Name the references that a model's mean is over."""
        return [name for name in self.params.judgments.averaged if name != model.name]

    def cells(self, model: Model) -> list[Cell]:
        """Give the comparisons that its mean is over."""
        names = self.references(model)
        return [cell for name in names for cell in model.cells(self.test, name, self.judge)]

    def runs(self, model: Model, references: Sequence[str]) -> Runs:
        """Give a model's verdicts, means over references; none where it has not met all.

        Those of a contestant against a student are the student's, turned round.
        """
        names = [name for name in references if name != model.name]
        students = [name for name in names if name in self.params.students]
        try:
            if model.seeds or not students:
                return model.runs(self.test, names, self.judge, self.read)
            student = Model(students[0], tuple(self.params.training_seeds))
            turned = student.runs(self.test, [model.name], self.judge, self.read)
        except NotJudged:
            return []
        return [{id: -preference for id, preference in run.items()} for run in turned]

    def pool(self, model: Model, references: Sequence[str]) -> SeedVariance:
        """Pool the luck of training in a model's win rate over all students.

        Against a student there may be one other alone, so the contestants' verdicts count, too. A
        contestant has there what the student has against it.
        """
        models = all_models(self.params)
        students = [each for each in models if each.seeds]
        met = any(name in self.params.students for name in references)
        if model.seeds:
            rows = models if met else students
            return pool_seeds([self.runs(each, references) for each in rows])
        if not met:
            return NOT_TRAINED
        return pool_seeds([self.runs(each, [model.name]) for each in students])


def rates_against(judged: JudgedTest, other: str) -> dict[str, Rate]:
    """Give each model's win rate against one that competes too."""
    models = [model for model in all_models(judged.params) if model.name != other]
    found = {model: runs for model in models if (runs := judged.runs(model, [other]))}
    how = judged.params.scores
    return {
        model.name: mean_win_rate(runs, how, judged.pool(model, [other])).rate
        for model, runs in found.items()
    }


def judge_variance(cells: Sequence[Cell]) -> float:
    """Give the variance of a mean over these comparisons that is due to the judge's samples."""
    found = [read_judgments(paths.judgments(cell)) for cell in cells]
    items = max(len({row.id for row in rows}) for rows in found)
    return sum(map(sample_variance, found)) / len(cells) ** 2 / items
