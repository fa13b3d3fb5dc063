"""Two versions on the same items: by hand, by simulation, and the other way round."""

from math import nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpacare.evaluation.bootstrap import Resampling, difference_interval, draw, resampled_means
from alpacare.evaluation.paired_comparison import (
    Flip,
    average_preferences,
    compare,
    flips,
    items_needed,
)

HOW = Resampling(resamples=1000, confidence=0.95, seed=0)
preferences = st.sampled_from([-0.5, -0.25, 0.0, 0.25, 0.5, nan])


def test_known_answers() -> None:
    """Changes by hand: +1, 0, +0.5, -0.25; their mean 0.3125."""
    then = {"a": -0.5, "b": 0.5, "c": 0.0, "d": 0.0, "x": nan, "y": 0.5, "old": 0.5}
    now = {"d": -0.25, "c": 0.5, "b": 0.5, "a": 0.5, "x": 0.5, "y": nan, "new": 0.5, "new2": 0}
    compared = compare(then, now, HOW)
    assert (compared.unreadable, compared.only_then, compared.only_now) == (2, 1, 2)
    found = compared.difference
    assert found is not None
    assert (found.n, found.changed) == (4, 3)
    assert (found.then, found.now, found.change) == (0.5, 0.8125, 0.3125)
    assert found.ci_low < 0.3125 < found.ci_high
    # variance of the changes by hand: 0.921875 / 3; (1.95996 + 0.84162)^2 * it / 0.3125^2 = 24.70
    assert found.needed == 25


def test_nothing_in_common_gives_no_number() -> None:
    compared = compare({"a": 0.5, "b": nan}, {"b": 0.5}, HOW)
    assert compared.difference is None
    assert (compared.unreadable, compared.only_then, compared.only_now) == (1, 1, 0)


def test_one_item_has_no_variance() -> None:
    found = compare({"a": -0.5}, {"a": 0.5}, HOW).difference
    assert found is not None
    assert (found.n, found.change, found.needed, found.real) == (1, 1.0, None, False)


@pytest.mark.parametrize(("items", "real"), [(3, False), (5, False), (6, True)])
def test_a_few_items_won_are_chance_as_an_exact_test_has_it(items: int, real: bool) -> None:
    """Heads five times of five is 2 / 2^5 = 6 %, six times 3 %."""
    ids = [str(n) for n in range(items)]
    found = compare(dict.fromkeys(ids, -0.5), dict.fromkeys(ids, 0.5), HOW).difference
    assert found is not None
    assert (found.change, found.needed, found.real) == (1.0, 6, real)


def test_no_change_is_no_certainty() -> None:
    """Of 70 items none changed: up to 1 - 0.025^(1/70) of all may."""
    same = {str(n): 0.5 for n in range(70)}
    found = compare(same, same, HOW).difference
    assert found is not None
    assert (found.change, found.changed, found.needed, found.real) == (0.0, 0, None, False)
    assert (found.ci_low, found.ci_high) == (-0.0513, 0.0513)


def test_the_average_counts_an_item_once_and_only_with_all_its_references() -> None:
    averaged = average_preferences([{"a": 0.5, "b": 0.5, "c": 0.5}, {"a": -0.25, "b": nan}])
    assert list(averaged) == ["a", "b", "c"]
    assert averaged["a"] == 0.125
    assert np.isnan([averaged["b"], averaged["c"]]).all()


def test_four_references_that_agree_are_no_more_evidence_than_one() -> None:
    """Drawn as clusters, copies of a reference leave the interval as it is."""
    rng = np.random.default_rng(0)
    then, now = (
        {str(n): preference for n, preference in enumerate(rng.choice([-0.5, 0.5], 16))}
        for _ in range(2)
    )
    assert compare(average_preferences([then] * 4), average_preferences([now] * 4), HOW) == compare(
        then, now, HOW
    )


@given(st.lists(st.tuples(preferences, preferences), min_size=1, max_size=40))
def test_swapping_the_versions_flips_the_sign_exactly(pairs: list[tuple[float, float]]) -> None:
    then, now = ({str(n): pair[side] for n, pair in enumerate(pairs)} for side in (0, 1))
    one = compare(then, now, HOW).difference
    other = compare(now, dict(reversed(then.items())), HOW).difference
    assert (one is None) == (other is None)
    if one and other:
        assert (one.then, one.now, one.change) == (other.now, other.then, -other.change)
        assert (one.ci_low, one.ci_high) == (-other.ci_high, -other.ci_low)
        assert (one.changed, one.needed, one.real) == (other.changed, other.needed, other.real)


def test_flips_go_by_the_sign_of_the_lead() -> None:
    then = {"a": -0.5, "b": 0.25, "c": 0.5, "d": 0.0, "e": nan, "f": 0.5}
    now = {"d": 0.25, "a": 0.0, "b": 0.5, "c": -0.25, "e": 0.5, "f": nan, "g": 0.5}
    assert flips(then, now) == [
        Flip("d", "tie", "win"),
        Flip("a", "loss", "tie"),
        Flip("c", "win", "loss"),
    ]


def test_the_interval_covers_the_true_difference_as_often_as_it_says() -> None:
    """216 items: each has its own difficulty, and the student got better on some of them."""
    rng = np.random.default_rng(0)
    trials, n = 2000, 216
    draws = draw(n, 500, 0)
    wins = np.array([[0.5, 0.3], [0.2, 0.45], [0.9, 0.9]])[rng.integers(0, 3, (trials, n))]
    scores = rng.binomial(2, wins) / 2
    changes = scores[..., 1] - scores[..., 0]
    truth = (-0.2 + 0.25 + 0.0) / 3
    hits = 0
    for each in changes:
        low, high = difference_interval(resampled_means(each, draws), n, 0.95)
        hits += low <= truth <= high
    assert 0.93 <= hits / trials <= 0.97


def test_items_needed_show_the_change_four_times_of_five() -> None:
    """Changes of 1 (15 %) and -1 (8 %): so many items, and the z test sees it in 80 %."""
    mean, variance = 0.07, 0.23 - 0.07**2
    n = items_needed(mean, variance, 0.95)
    assert n is not None
    rng = np.random.default_rng(0)
    drawn = rng.choice([1.0, -1.0, 0.0], p=[0.15, 0.08, 0.77], size=(3000, n))
    seen = np.abs(drawn.mean(1)) > 1.95996 * drawn.std(1, ddof=1) / n**0.5
    assert 0.78 <= seen.mean() <= 0.82


@pytest.mark.parametrize(
    ("change", "variance", "needed"), [(0.0, 0.1, None), (0.1, nan, None), (0.1, 0.0, 6)]
)
def test_items_needed_where_the_formula_ends(
    change: float, variance: float, needed: int | None
) -> None:
    assert items_needed(change, variance, 0.95) == needed
