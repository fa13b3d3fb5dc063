"""`alpacare compare A B`: two models, or one in two commits, item by item over training seeds."""

from collections.abc import Iterator, Sequence

from alpacare.comparison.compare_print import ComparedRow, SideBySide, print_rows
from alpacare.comparison.judged_test import JudgedTest, rates_against
from alpacare.comparison.model_runs import all_models, competing_references, make_reader
from alpacare.comparison.rubric_compare import compare_grades
from alpacare.comparison.sides import Side, open_side, same_trainings
from alpacare.core.errors import BadInput
from alpacare.evaluation.crossed import item_means
from alpacare.evaluation.paired_comparison import compare, flips, paired_seeds
from alpacare.evaluation.seed_variance import NOT_TRAINED, Runs, Seeds, pool_seeds
from alpacare.pipeline.params import Params, read_params


def print_comparison(first: str, second: str, test: str | None, judge: str | None) -> None:
    """Compare two models, and print what differs.

    Raises:
        BadInput: a name or a commit is unknown, both are the same, or one was not judged.
    """
    if first == second:
        raise BadInput(f"{first} and {second} are the same; name two models, or NAME@COMMIT")
    params = read_params()
    with open_side(first) as one, open_side(second) as other:
        others = f"; benchmarks of params.yaml: {', '.join(params.benchmarks) or 'none'}"
        tests = shared_names("test", test, one.tests, other.tests, others=others)
        graders = [name for name in one.graders if name in other.graders]
        both = [[*side.judges, *graders] for side in (one, other)]
        chosen = shared_names("judge", judge, *both)
        judges = [name for name in chosen if name not in graders]
        graded = [
            row
            for test in tests
            for judge in chosen
            if judge in graders
            for row in compare_grades(params, one, other, test, judge)
        ]
        rows = [
            row
            for test in tests
            for judge in judges
            for row in compare_sides(params, one, other, test, judge)
        ]
        direct = [
            each
            for test in tests
            for judge in judges
            if (each := _compare_directly(params, one, other, test, judge))
        ]
    if not any(row.found.difference for row in (*rows, *graded)):
        raise BadInput(f"{first} and {second}: no test item that both have readable verdicts on")
    print_rows(first, second, rows, direct, 100 * params.scores.confidence, graded)


def shared_names(what: str, name: str | None, *known: Sequence[str], others: str = "") -> list[str]:
    """Give the names that both have, or the one that is named; `others` ends the error."""
    both = [each for each in known[0] if each in known[1]]
    if name is None:
        return both
    if name not in both:
        raise BadInput(f"no {what} '{name}' that both were judged with: {', '.join(both)}{others}")
    return [name]


def compare_sides(
    params: Params, one: Side, other: Side, test: str, judge: str
) -> Iterator[ComparedRow]:
    """Compare the means over references, and what each got against those that compete too."""
    names = {one.model.name, other.model.name}
    common = [each for each in one.references if each in other.references and each not in names]
    averaged = [name for name in params.judgments.averaged if name in common]
    if not averaged:
        raise BadInput(f"{one.label} and {other.label}: no reference in common")
    competing = [name for name in competing_references(params) if name in common]
    for against in (averaged, *([name] for name in competing)):
        if any(name in params.students for name in against) and not (
            one.model.seeds and other.model.seeds
        ):
            continue  # only students are compared with the student named head to head
        runs = [side.model.runs(test, against, judge, side.read) for side in (one, other)]
        if all(runs):
            name = against[0] if len(against) == 1 else f"mean of {len(against)}"
            paired = same_trainings(one, other, test)
            seeds = (
                paired_seeds([runs], bool(one.model.seeds))
                if paired
                else _seeds(params, (one, other), runs, against, test, judge)
            )
            found = compare(runs[0], runs[1], params.scores, same_seeds=paired, seeds=seeds)
            yield ComparedRow(test, judge, name, found, flips(*map(item_means, runs)), seeds)


def _seeds(
    params: Params,
    sides: tuple[Side, Side],
    runs: Sequence[Runs],
    against: Sequence[str],
    test: str,
    judge: str,
) -> Seeds:
    """Give the luck of training of both, pooled over them and all other students that are here."""
    own = [each for side, each in zip(sides, runs, strict=True) if side.model.seeds]
    here = {side.model.name for side in sides}
    others = [model for model in all_models(params) if model.seeds and model.name not in here]
    judged = JudgedTest(params, test, judge, make_reader())
    pooled = pool_seeds([*own, *(judged.runs(model, against) for model in others)])
    first, second = (pooled if side.model.seeds else NOT_TRAINED for side in sides)
    return first, second


def _compare_directly(
    params: Params, one: Side, other: Side, test: str, judge: str
) -> SideBySide | None:
    """Give the win rate of the one against the other, where they were judged side by side."""
    if "@" in one.label + other.label:
        return None
    judged = JudgedTest(params, test, judge, make_reader())
    for side, opposite in ((other, one), (one, other)):
        against = opposite.model.name
        if against in side.references and (side.model.seeds or not opposite.model.seeds):
            rate = rates_against(judged, against).get(side.model.name)
            if rate:
                return SideBySide(test, judge, side.label, against, rate)
    return None
