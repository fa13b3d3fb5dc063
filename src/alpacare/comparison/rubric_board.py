"""All models before one judge by rubrics on one test set: mean scores in place of win rates."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import inf

from alpacare.comparison.leaderboard import Duel, make_duels, named
from alpacare.comparison.model_runs import Model, NotJudged, all_models
from alpacare.core.files import read_json
from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.rubric_scores import (
    Graded,
    ItemScores,
    MeanScore,
    mean_score,
    read_grades,
)
from alpacare.evaluation.score import JudgeRun
from alpacare.evaluation.seed_variance import NOT_TRAINED, Runs, SeedVariance, pool_seeds
from alpacare.evaluation.several import Rank, rank
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params

_UNRANKED = Rank(0, 0)
GradesReader = Callable[[str, str, int | None, str], Graded]  # test, model, seed, judge


@dataclass(frozen=True)
class RubricEntry:
    """One model: a row.

    `score` is a mean over items and training seeds; `groups`: the same of each axis and theme, by
    what it is and its name. `runs` are item scores less 0.5, as preferences are. `unread` of
    `criteria` have no verdict, over all seeds. `dollars`: for this judge's replies.
    """

    model: Model
    runs: Runs
    seeds: SeedVariance
    score: MeanScore
    groups: Mapping[tuple[str, str], MeanScore]
    criteria: int
    unread: int
    dollars: float
    rank: Rank = _UNRANKED


@dataclass(frozen=True)
class RubricBoard:
    """A test set before a judge by rubrics: models, the best first, and those without grades."""

    test: str
    judge: str
    seeds: SeedVariance
    entries: list[RubricEntry]
    duels: list[Duel]
    missing: list[str] = field(default_factory=list)

    @property
    def groups(self) -> list[tuple[str, str]]:
        """The axes, then the themes, that any model has."""
        return list(dict.fromkeys(group for entry in self.entries for group in entry.groups))


def make_rubric_boards(
    params: Params, test: str | None, judge: str | None, read: GradesReader | None = None
) -> list[RubricBoard]:
    """Make a board for each test set with rubrics and each judge by them, or those named.

    Raises:
        BadInput: an unknown name, or grades that are wrong.
    """
    judges = named("judge", judge, params.judgments.rubric_judges, "judgments.rubric_judges")
    tests = named("test", test, params.tests, "tests")
    read = read or make_grades_reader()
    boards = [_make_board(params, test, judge, read) for test in tests for judge in judges]
    return [board for board in boards if board.entries or board.missing]


def make_grades_reader() -> GradesReader:
    """Give a reader of the working tree's grades that reads each file once."""
    return lru_cache(maxsize=None)(read_grades_here)


def read_grades_here(test: str, model: str, seed: int | None, judge: str) -> Graded:
    """Read the grades of one model's answers in the working tree.

    Raises:
        BadInput: they are not there, or wrong.
    """
    path = paths.rubric_judgments(test, model, seed, judge)
    if not path.exists():
        raise NotJudged(path)
    return read_grades(path)


def runs_of(scores: Sequence[ItemScores]) -> Runs:
    """Give item scores, a mapping for each training seed, as preferences are: less 0.5."""
    return [{id: score - 0.5 for id, score in each.items()} for each in scores]


def groups_of(grades: Sequence[Graded]) -> dict[tuple[str, str], list[ItemScores]]:
    """Give the scores of each axis and theme, a mapping for each training seed."""
    names = {
        "axis": dict.fromkeys(name for each in grades for name in each.by_axis),
        "theme": dict.fromkeys(name for each in grades for name in each.by_theme),
    }
    return {
        (kind, name): [
            (each.by_axis if kind == "axis" else each.by_theme).get(name, {}) for each in grades
        ]
        for kind, all in names.items()
        for name in all
    }


def _make_board(params: Params, test: str, judge: str, read: GradesReader) -> RubricBoard:
    found: dict[Model, list[Graded]] = {}
    missing = []
    for model in all_models(params):
        try:
            grades = [read(test, model.name, seed, judge) for seed in model.seeds or (None,)]
        except NotJudged as error:
            missing.append(f"{model.name}: {error}")
            continue
        if any(each.overall for each in grades):  # else the test set has no rubrics
            found[model] = grades
    pooled = _pool({model: [each.overall for each in found[model]] for model in found})
    entries = [
        _make_entry(params, test, judge, model, grades, pooled, _pool_groups(found))
        for model, grades in found.items()
    ]
    entries = _rank(entries, params.scores)
    return RubricBoard(test, judge, pooled, entries, make_duels(params, entries, inf), missing)


def _pool(models: Mapping[Model, Sequence[ItemScores]]) -> SeedVariance:
    return pool_seeds([scores for model, scores in models.items() if model.seeds])


def _pool_groups(found: Mapping[Model, Sequence[Graded]]) -> dict[tuple[str, str], SeedVariance]:
    groups = {model: groups_of(grades) for model, grades in found.items()}
    names = dict.fromkeys(name for each in groups.values() for name in each)
    return {
        name: _pool({model: each[name] for model, each in groups.items() if name in each})
        for name in names
    }


def _make_entry(
    params: Params,
    test: str,
    judge: str,
    model: Model,
    grades: Sequence[Graded],
    pooled: SeedVariance,
    by_group: Mapping[tuple[str, str], SeedVariance],
) -> RubricEntry:
    scores, how = [each.overall for each in grades], params.scores
    seeds = pooled if model.seeds else NOT_TRAINED
    return RubricEntry(
        model=model,
        runs=runs_of(scores),
        seeds=seeds,
        score=mean_score(scores, how, seeds),
        groups={
            name: mean_score(each, how, by_group[name] if model.seeds else NOT_TRAINED)
            for name, each in groups_of(grades).items()
        },
        criteria=sum(each.criteria for each in grades),
        unread=sum(each.unread for each in grades),
        dollars=sum(_dollars(test, model, seed, judge) for seed in model.seeds or (None,)),
    )


def _dollars(test: str, model: Model, seed: int | None, judge: str) -> float:
    path = paths.rubric_judgments(test, model.name, seed, judge).with_suffix(".json")
    return JudgeRun.model_validate(read_json(path)).dollars if path.exists() else 0.0


def _rank(entries: Sequence[RubricEntry], how: Resampling) -> list[RubricEntry]:
    """Sort by score; models that no paired comparison can tell apart share places."""
    ordered = sorted(entries, key=lambda entry: -(entry.score.mean or 0.0))
    ranks = rank([each.runs for each in ordered], [each.seeds for each in ordered], how)
    return [replace(each, rank=place) for each, place in zip(ordered, ranks, strict=True)]
