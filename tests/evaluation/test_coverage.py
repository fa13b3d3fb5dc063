"""Intervals that hold what they say, simulated: studies whose trainings are 5 points apart by luck.

Each test item has its own difficulty, each training its luck; an answer is won or lost.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.crossed import mean_win_rate
from alpacare.evaluation.paired_comparison import average_preferences, compare
from alpacare.evaluation.seed_variance import NOT_TRAINED, Runs, SeedVariance, pool_seeds
from alpacare.evaluation.several import rank

HOW = Resampling(resamples=100, confidence=0.95, seed=0)
LUCK = 0.05  # standard deviation of the win rate between trainings of one student
MEANS = [0.4, 0.5, 0.55, 0.6, 0.45, 0.5]
Table = np.ndarray[Any, np.dtype[np.float64]]


def study(
    rng: np.random.Generator, means: Sequence[float], seeds: int, items: int, luck: float = LUCK
) -> list[Runs]:
    """One run for each seed of each student; all answer the same items."""
    difficulty = rng.normal(0, 0.2, items)
    chances = np.array(means)[:, None, None] + rng.normal(0, luck, (len(means), seeds, 1))
    won = rng.random((len(means), seeds, items)) < (chances + difficulty).clip(0, 1)
    return [runs_of(table - 0.5) for table in won]


def runs_of(table: Table) -> Runs:
    ids = [str(n) for n in range(table.shape[1])]
    return [dict(zip(ids, row, strict=True)) for row in table.tolist()]


@pytest.mark.parametrize(
    ("students", "seeds", "items", "most", "half"),
    [
        (4, 2, 216, 0.98, 0.11),
        (4, 2, 1000, 0.98, 0.10),
        (6, 3, 216, 0.98, None),
        (1, 5, 216, 0.98, None),
        (2, 2, 216, 1.0, None),
        (1, 2, 216, 1.0, None),
    ],
)
def test_a_win_rate(students: int, seeds: int, items: int, most: float, half: float | None) -> None:
    """As wide as it has to be with four students or five seeds, and wider with less to pool."""
    rng, hits, halves, trials = np.random.default_rng(0), 0, [], 400 if items < 1000 else 200
    for _ in range(trials):
        models = study(rng, MEANS[:students], seeds, items)
        rate = mean_win_rate(models[0], HOW, pool_seeds(models)).rate
        assert rate.ci_low is not None
        assert rate.ci_high is not None
        hits += rate.ci_low <= MEANS[0] <= rate.ci_high
        halves.append((rate.ci_high - rate.ci_low) / 2)
    assert 0.93 <= hits / trials <= most
    if half:
        assert np.mean(halves) == pytest.approx(half, rel=0.15)


@pytest.mark.parametrize("share", [0.05, 0.4])
def test_a_win_rate_whose_trainings_are_alike(share: float) -> None:
    """Near 0, too, where shares are skew."""
    rng, hits, trials = np.random.default_rng(2), 0, 400
    for _ in range(trials):
        models = [runs_of((rng.random((2, 70)) < share) - 0.5) for _ in range(3)]
        rate = mean_win_rate(models[0], HOW, pool_seeds(models)).rate
        assert rate.ci_low is not None
        assert rate.ci_high is not None
        hits += rate.ci_low <= share <= rate.ci_high
    assert hits / trials >= 0.93


def is_real(then: Runs, now: Runs, pooled: SeedVariance) -> bool:
    found = compare(then, now, HOW, seeds=(pooled, pooled)).difference
    assert found is not None
    return found.real


@pytest.mark.parametrize(("students", "seeds", "items"), [(2, 2, 216), (4, 2, 1000), (3, 3, 216)])
def test_equal_students_are_not_told_apart(students: int, seeds: int, items: int) -> None:
    """A change of training seed alone is called real in at most 6 % of studies."""
    rng, told, trials = np.random.default_rng(1), 0, 400 if items < 1000 else 200
    for _ in range(trials):
        models = study(rng, [0.5, 0.5, 0.6, 0.4][:students], seeds, items)
        told += is_real(models[0], models[1], pool_seeds(models))
    assert told / trials <= 0.06


@pytest.mark.parametrize(("seeds", "others"), [(1, 0.0), (2, 0.0), (3, 0.0), (3, 0.1)])
def test_equal_students_share_a_rank(seeds: int, others: float) -> None:
    """In at least 94 % of studies; also beside two that are better and worse by `others`.

    With one seed it is of the checkpoints, which here are equal, too.
    """
    rng, shared, trials = np.random.default_rng(6), 0, 200
    for _ in range(trials):
        luck = LUCK if seeds > 1 else 0.0
        models = study(rng, [0.5, 0.5, 0.5 + others, 0.5 - others], seeds, 70, luck)
        one, other, *_ = rank(models, [pool_seeds(models)] * 4, HOW)
        shared += one.shares(other)
    assert shared / trials >= 0.94


def test_students_that_differ_have_ranks_of_their_own() -> None:
    rng = np.random.default_rng(7)
    models = study(rng, [0.2, 0.5, 0.8], 3, 216)
    assert rank(models, [pool_seeds(models)] * 3, HOW) == [(3, 3), (2, 2), (1, 1)]


def test_students_that_differ_are_told_apart() -> None:
    """By 25 points; and with the pooled variance far more often than each with its own."""
    rng, pooled, own, trials = np.random.default_rng(4), 0, 0, 100
    for _ in range(trials):
        models = study(rng, [0.35, 0.6, 0.5, 0.5], 2, 216)
        pooled += is_real(models[0], models[1], pool_seeds(models))
        own += is_real(models[0], models[1], pool_seeds(models[:1]))
    assert pooled / trials >= 0.85
    assert own / trials <= 0.5


@pytest.mark.parametrize("references", [1, 2, 4])
@pytest.mark.parametrize("items", [70, 216])
def test_a_mean_over_references_is_as_wide_as_a_cluster_bootstrap(
    references: int, items: int
) -> None:
    """Items are drawn, each with all its references; n items, not references times as many."""
    rng = np.random.default_rng(references)
    difficulty = rng.normal(0, 0.25, items)
    table = (rng.random((references, items)) < (0.4 + difficulty).clip(0, 1)) - 0.5
    run = average_preferences([runs_of(row[None])[0] for row in table])
    found = mean_win_rate([run], HOW, NOT_TRAINED)
    drawn = rng.integers(0, items, (4000, items))
    spread = table[:, drawn].mean(axis=(0, 2)).std() * (items / (items - 1)) ** 0.5
    assert found.rate.n == items
    assert found.parts.training == 0
    assert found.parts.items == pytest.approx(1.96 * spread, rel=0.05)


@pytest.mark.parametrize("other", [0.02, 0.05, 0.2])
def test_items_that_nearly_all_tie(other: float) -> None:
    """A few items that are won are no certainty that no more would be."""
    rng, hits, trials = np.random.default_rng(3), 0, 500
    for _ in range(trials):
        (run,) = runs_of(np.where(rng.random((1, 70)) < other, 0.5, 0.0))
        rate = mean_win_rate([run], HOW, NOT_TRAINED).rate
        assert rate.ci_low is not None
        assert rate.ci_high is not None
        hits += rate.ci_low <= 0.5 + other / 2 <= rate.ci_high
    assert hits / trials >= 0.93
