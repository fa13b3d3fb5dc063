"""`alpacare safety`: what students and other models refuse, and whether they should.

Of a test set whose rows say what is expected: of requests to refuse and of requests to answer, how
many are refused, by the rule `declines` and by each judge by rubrics; and by these, how many
answers enable the harm. A student is compared with another model on the same requests.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import nan
from pathlib import Path

from alpacare.comparison.model_runs import Model, all_models
from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.texts import shows_nothing
from alpacare.evaluation.crossed import count_unread, mean_win_rate
from alpacare.evaluation.items import Preferences
from alpacare.evaluation.paired_comparison import Difference, compare
from alpacare.evaluation.score import Rate
from alpacare.evaluation.seed_variance import NOT_TRAINED, Runs, SeedVariance, pool_seeds
from alpacare.evaluation.sign_test import sign_test
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params
from alpacare.records.generation import Generation
from alpacare.records.rubric import RubricItem, RubricJudgment
from alpacare.records.test_set import read_test_set
from alpacare.statistics.refusals import declines

RULE = "rule"
REFUSED, HARM = "axis:refusal", "axis:harm"  # tags of the criteria that say so; harm costs points
_YES, _NO = 0.5, -0.5  # as preferences, so that the estimators of win rates apply
_OutcomeReader = Callable[[str, int | None], Preferences]  # of a model and its training seed


@dataclass(frozen=True)
class Measure:
    """What is counted of which requests, and by whom: refusals, or answers that enable the harm.

    `expect`: of the requests that should be refused, or of those that should be answered.
    `not_counted`: criteria of harm with points above 0, which an answer without harm meets.
    """

    test: str
    what: str  # refused, or harm
    expect: str
    by: str
    not_counted: int = 0


@dataclass(frozen=True)
class SafetyRate:
    """A model's rate on n of `items` requests; the others have no readable verdict.

    `unreadable`: of `answers`, one a request and training seed, those without such a verdict.
    `bound`: by the rule of three, the most that the rate may be where nothing was seen, or the
    least where all were. `difference`: from the model compared with, on the same requests; real if
    interval and exact sign test agree.
    """

    model: Model
    rate: Rate
    items: int
    unreadable: int
    answers: int
    bound: float | None
    difference: Difference | None


@dataclass(frozen=True)
class SafetyBoard:
    """All models by one measure, compared with the model `against`; `missing`: who is not here."""

    measure: Measure
    against: str | None
    rates: list[SafetyRate]
    missing: list[str]


def make_safety_boards(params: Params, test: str | None, against: str | None) -> list[SafetyBoard]:
    """Read answers and grades of all test sets whose rows say what is expected, or of one.

    Raises:
        BadInput: there is no such test set or model, or none says what is expected.
    """
    models = all_models(params)
    names = [model.name for model in models]
    if against is not None and against not in names:
        raise BadInput(f"--against {against}: no such model; there are {', '.join(names)}")
    boards = _boards(params, _tests(params, test), against)
    if not boards:
        raise BadInput(
            "no test set whose rows have `expect`: refuse or answer; add safety to `tests` in "
            "params.yaml, and run `make repro`"
        )
    return [
        board
        for board in boards
        if board.rates or board.measure.by == RULE or board.measure.not_counted
    ]


def find_safety_boards(params: Params) -> list[SafetyBoard]:
    """Give the boards that have answers here; none if no test set is a safety panel."""
    here = [test for test in params.tests if paths.test_set(test).exists()]
    return [board for board in _boards(params, here, None) if board.rates]


def _boards(params: Params, tests: Sequence[str], against: str | None) -> list[SafetyBoard]:
    other = against or next(iter(params.judgments.contestants), None)
    return [
        _board(params, measure, other, read)
        for test in tests
        for measure, read in _measures(params, test)
    ]


def rule_of_three(rate: Rate) -> float | None:
    """Bound a rate of 0 from above, or of 1 from below: 3 / n, with 95 % confidence.

    Hanley & Lippman-Hand 1983 (doi 10.1001/jama.1983.03330370053031); None for other rates.
    """
    if rate.win_rate not in (0.0, 1.0):
        return None
    most = min(1.0, 3 / rate.n)
    return most if rate.win_rate == 0 else 1 - most


def _tests(params: Params, test: str | None) -> list[str]:
    if test is not None and test not in params.tests:
        raise BadInput(f"no test set '{test}' in params.yaml: {', '.join(params.tests)}")
    return [test] if test else list(params.tests)


def _measures(params: Params, test: str) -> Iterator[tuple[Measure, _OutcomeReader]]:
    tasks = read_test_set(paths.test_set(test))
    rubrics = {task.id: task.rubrics for task in tasks}
    for expect in ("refuse", "answer"):
        ids = [task.id for task in tasks if task.expect == expect]
        if not ids:
            continue
        yield Measure(test, "refused", expect, RULE), partial(_by_rule, test, ids)
        graded = {id: rubrics[id] for id in ids}
        for judge in params.judgments.rubric_judges:
            yield from _graded_measures(test, expect, judge, graded)


def _graded_measures(
    test: str, expect: str, judge: str, rubrics: Mapping[str, Sequence[RubricItem]]
) -> Iterator[tuple[Measure, _OutcomeReader]]:
    for what, tag in (("refused", REFUSED), ("harm", HARM)):
        tagged = [(id, item) for id in rubrics for item in rubrics[id] if tag in item.tags]
        ids = list(dict.fromkeys(id for id, item in tagged if _counts(item, tag)))
        not_counted = sum(not _counts(item, tag) for _, item in tagged)
        if tagged:
            read = partial(_by_judge, test, ids, judge, tag)
            yield Measure(test, what, expect, judge, not_counted), read


def _counts(item: RubricItem, tag: str) -> bool:
    """Whether a criterion says so: one of harm with points above 0 is met where there is none."""
    return tag in item.tags and (tag != HARM or item.points < 0)


def _by_rule(test: str, ids: Sequence[str], model: str, seed: int | None) -> Preferences:
    path = _here(paths.answers(test, model, seed))
    answers = {row.id: row.output for row in jsonl.read(path, Generation, unique="id")}
    if answers.keys().isdisjoint(ids):
        raise _NotHere(f"{path}: no answers to these requests")
    return {id: _outcome(_declined(answers.get(id, ""))) for id in ids}


def _declined(answer: str) -> bool | None:
    """Say whether an answer declines; None for an empty one, which neither refuses nor does it."""
    return None if shows_nothing(answer) else declines(answer)


def _by_judge(
    test: str, ids: Sequence[str], judge: str, tag: str, model: str, seed: int | None
) -> Preferences:
    if not ids:
        raise _NotHere(f"no criterion {tag} has points below 0")
    path = _here(paths.rubric_judgments(test, model, seed, judge))
    rows = {row.id: row for row in jsonl.read(path, RubricJudgment, unique="id")}
    if rows.keys().isdisjoint(ids):
        raise _NotHere(f"{path}: no grades of these requests")
    return {id: _outcome(_met(rows[id], tag) if id in rows else None) for id in ids}


def _met(row: RubricJudgment, tag: str) -> bool | None:
    """Say whether one of the criteria that count is met; None where none is and one is unread."""
    said = [each.met for each in row.criteria if _counts(each, tag)]
    return True if True in said else None if None in said or not said else False


def _outcome(seen: bool | None) -> float:
    return nan if seen is None else _YES if seen else _NO


class _NotHere(Exception):
    """Answers or grades that are missing."""


def _here(path: Path) -> Path:
    if not path.exists():
        raise _NotHere(f"{path}: not there yet; run `dvc repro`, or `alpacare pull`")
    return path


def _board(
    params: Params, measure: Measure, against: str | None, read: _OutcomeReader
) -> SafetyBoard:
    found: dict[Model, Runs] = {}
    missing = []
    for model in all_models(params):
        try:
            found[model] = [read(model.name, seed) for seed in model.seeds or (None,)]
        except _NotHere as error:
            missing.append(f"{model.name}: {error}")
    pooled = pool_seeds([runs for model, runs in found.items() if model.seeds])
    other = next((model for model in found if model.name == against), None)
    rates = [_rate(params, model, other, found, pooled) for model in found]
    return SafetyBoard(measure, other.name if other else None, rates, missing)


def _rate(
    params: Params,
    model: Model,
    other: Model | None,
    found: dict[Model, Runs],
    pooled: SeedVariance,
) -> SafetyRate:
    how, runs = params.scores, found[model]
    rate = mean_win_rate(runs, how, pooled if model.seeds else NOT_TRAINED).rate
    difference = None
    if other and model != other:
        seeds = tuple(pooled if each.seeds else NOT_TRAINED for each in (other, model))
        difference = compare(found[other], runs, how, seeds=(seeds[0], seeds[1])).difference
        if difference and sign_test(found[other], runs) > 1 - how.confidence:
            difference = replace(difference, real=False)
    items = len({id for run in runs for id in run})
    bound = rule_of_three(rate)
    return SafetyRate(model, rate, items, *count_unread(runs), bound, difference)
