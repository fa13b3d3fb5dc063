"""Means over items and seeds, by hand; test_coverage.py simulates what the intervals hold."""

from dataclasses import replace
from math import isnan, nan

import numpy as np
import pytest

from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.crossed import Spread, item_means, mean_win_rate, measure_spread
from alpacare.evaluation.paired_comparison import compare
from alpacare.evaluation.seed_variance import NOT_TRAINED, pool_seeds
from alpacare.evaluation.t_distribution import t_quantile

HOW = Resampling(resamples=100, confidence=0.95, seed=0)


@pytest.mark.parametrize(
    ("freedom", "value"), [(1, 12.706), (2, 4.3027), (5, 2.5706), (69, 1.9949), (1000, 1.95996)]
)
def test_t_as_in_the_tables(freedom: float, value: float) -> None:
    assert t_quantile(0.95, freedom) == pytest.approx(value, rel=1e-4)


def test_an_item_counts_where_one_run_at_least_can_be_read() -> None:
    means = item_means([{"a": 0.5, "b": nan, "c": nan}, {"a": 0.0, "b": 0.25, "c": nan}])
    assert (means["a"], means["b"]) == (0.25, 0.25)
    assert isnan(means["c"])
    runs = [{"a": 0.5, "b": nan, "c": nan}, {"a": 0.0, "b": 0.25, "c": nan}]
    rate = mean_win_rate(runs, HOW).rate
    assert (rate.win_rate, rate.n) == (0.75, 2)


def test_variances_by_hand() -> None:
    """Two seeds, two items, no interaction: seed means 0.1 apart, item means 0.4 apart."""
    runs = [{"a": 0.0, "b": 0.4}, {"a": 0.1, "b": 0.5}]
    seeds = pool_seeds([runs])
    assert (seeds.variance, seeds.by_chance) == pytest.approx((0.1**2 / 2, 0))
    assert (seeds.freedom, seeds.students) == (1, 1)
    spread = measure_spread(np.array([0.05, 0.45]), [(2, seeds)])
    assert spread.items == pytest.approx(0.4**2 / 2 / 2)
    assert spread.seeds == pytest.approx(0.1**2 / 2 / 2)
    assert spread.effective_size() == pytest.approx(2 * 0.04 / 0.0425)
    assert spread.parts(0.95) == pytest.approx((12.706 * 0.2, 12.706 * 0.05, 0), rel=1e-4)
    assert spread.half_width(0.95) == pytest.approx(12.706 * 0.0425**0.5, rel=1e-4)


def test_seeds_are_pooled_over_students() -> None:
    """Squares around each student's mean, 0.005 and 0.02 at 1 and 2 degrees of freedom."""
    one = [{"a": 0.0, "b": 0.3}, {"a": 0.1, "b": 0.4}]
    other = [{"a": 0.0, "b": -0.2}, {"a": 0.1, "b": -0.1}, {"a": 0.2, "b": 0.0}]
    pooled = pool_seeds([one, other])
    assert (pooled.freedom, pooled.students) == (3, 2)
    assert pooled.variance == pytest.approx((0.005 + 0.02) / 3)
    lost = [{"a": -0.5, "b": -0.5}] * 2
    assert pool_seeds([one, other, lost]) == pooled, "one that loses all cannot vary"
    assert pool_seeds([lost, lost]).freedom == 2, "unless all of them do"


def test_seeds_that_differ_as_items_do_by_chance_add_little() -> None:
    """Two seeds with equal means: what they differ in is a matter of items alone."""
    runs = [{"a": 0.5, "b": -0.5, "c": 0.5, "d": -0.5}, {"a": -0.5, "b": 0.5, "c": 0.5, "d": -0.5}]
    spread = measure_spread(np.array([0, 0, 0.5, -0.5]), [(2, pool_seeds([runs]))])
    assert spread.parts(0.95).training == 0


def test_one_seed_says_nothing_of_others() -> None:
    run = {str(n): (-1) ** n / 2 for n in range(40)}
    seeds = pool_seeds([[run], [run]])
    assert (seeds.variance, seeds.freedom, seeds.unknown) == (0.0, 0, True)
    assert not NOT_TRAINED.unknown


def test_items_that_are_all_lost_are_no_certainty() -> None:
    lost = {str(n): -0.5 for n in range(70)}
    found = mean_win_rate([lost, lost], HOW)
    rate = found.rate
    assert (rate.win_rate, rate.ci_low, rate.ci_high, rate.n) == (0.0, 0.0, 0.052, 70)
    assert found.parts == pytest.approx((0.026, 0, 0), abs=1e-4)
    others = pool_seeds([[{"a": 0.5, "b": 0.0}, {"a": 0.0, "b": -0.5}]])
    assert mean_win_rate([lost, lost], HOW, others).rate == rate, "the luck of others is not its"


def test_nothing_readable_has_no_rate() -> None:
    assert mean_win_rate([{"a": nan}], HOW).rate.win_rate is None
    assert mean_win_rate([], HOW).rate.n == 0


def test_seeds_far_apart_do_not_leave_the_range_of_a_share() -> None:
    won, lost = ({str(n): side for n in range(70)} for side in (0.5, -0.5))
    rate = mean_win_rate([won, lost], HOW).rate
    assert rate.win_rate == 0.5
    assert 0 <= (rate.ci_low or 0) < 0.1
    assert 0.9 < (rate.ci_high or 0) <= 1
    found = compare([lost, lost], [won, lost], HOW).difference
    assert found is not None
    assert (found.ci_low, found.ci_high, found.real) == (-1, 1, False)


def test_a_spread_without_seeds() -> None:
    spread = Spread(n=70, items=0.001, seeds=0.01, freedom=1)
    assert spread.items_alone().half_width(0.95) == pytest.approx(1.995 * 0.001**0.5, rel=1e-3)


@pytest.mark.parametrize("freedom", [0, 4])
def test_the_judge_is_a_part_of_its_own_and_widens_nothing(freedom: int) -> None:
    spread = Spread(n=70, items=0.001, seeds=0.0005, freedom=freedom)
    parts = replace(spread, judge=0.0004).parts(0.95)
    assert parts.whole() == pytest.approx(spread.half_width(0.95))
    assert parts.judge == pytest.approx(1.995 * 0.02, rel=1e-3)
    assert parts.scaled(0.5).whole() == pytest.approx(0.5)
