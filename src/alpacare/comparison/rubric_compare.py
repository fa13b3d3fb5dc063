"""Two models before a judge by rubrics: paired differences, also by axis and theme."""

from collections.abc import Iterator, Mapping, Sequence
from math import inf

from alpacare.comparison.compare_print import ComparedRow
from alpacare.comparison.model_runs import NotJudged, all_models
from alpacare.comparison.rubric_board import groups_of, make_grades_reader, runs_of
from alpacare.comparison.sides import Side, same_trainings
from alpacare.evaluation.paired_comparison import compare, paired_seeds
from alpacare.evaluation.rubric_scores import Graded, ItemScores
from alpacare.evaluation.seed_variance import NOT_TRAINED, Runs, Seeds, pool_seeds
from alpacare.pipeline.params import Params

Group = tuple[str, str]  # axis or theme, and its name
_ALL: Group = ("all", "items")


def compare_grades(
    params: Params, one: Side, other: Side, test: str, judge: str
) -> Iterator[ComparedRow]:
    """Compare mean scores, not clipped: of all items, of each axis and of each theme.

    Raises:
        BadInput: one was not graded.
    """
    sides = [_scores(_read(side, test, judge)) for side in (one, other)]
    others = _others(params, {one.model.name, other.model.name}, test, judge)
    for group in sides[0]:
        if group not in sides[1]:
            continue
        runs = [runs_of(side[group]) for side in sides]
        if not all(map(any, runs)):
            continue  # the test set has no rubrics
        paired = same_trainings(one, other, test)
        seeds = (
            paired_seeds([runs], bool(one.model.seeds))
            if paired
            else _seeds(
                (one, other), runs, [runs_of(each[group]) for each in others if group in each]
            )
        )
        how = params.scores
        found = compare(runs[0], runs[1], how, same_seeds=paired, seeds=seeds, most=inf)
        yield ComparedRow(test, judge, " ".join(group), found, None, seeds)


def _read(side: Side, test: str, judge: str) -> list[Graded]:
    model = side.model
    return [side.grades(test, model.name, seed, judge) for seed in model.seeds or (None,)]


def _scores(grades: Sequence[Graded]) -> dict[Group, list[ItemScores]]:
    return {_ALL: [each.overall for each in grades], **groups_of(grades)}


def _others(
    params: Params, here: set[str], test: str, judge: str
) -> list[Mapping[Group, list[ItemScores]]]:
    """Give the scores of all other students that are here."""
    read, found = make_grades_reader(), list[Mapping[Group, list[ItemScores]]]()
    for model in all_models(params):
        if model.seeds and model.name not in here:
            try:
                grades = [read(test, model.name, seed, judge) for seed in model.seeds]
            except NotJudged:
                continue
            found.append(_scores(grades))
    return found


def _seeds(sides: tuple[Side, Side], runs: Sequence[Runs], others: Sequence[Runs]) -> Seeds:
    """Give the luck of training of both, pooled over them and the other students."""
    own = [each for side, each in zip(sides, runs, strict=True) if side.model.seeds]
    pooled = pool_seeds([*own, *others])
    first, second = (pooled if side.model.seeds else NOT_TRAINED for side in sides)
    return first, second
