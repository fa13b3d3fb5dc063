"""Two versions on the same items: by hand, by simulation, and the other way round."""

from math import nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.crossed import Spread
from alpacare.evaluation.paired_comparison import (
    Flip,
    average_preferences,
    compare,
    flips,
)
from alpacare.evaluation.sample_size import items_needed, seeds_needed
from alpacare.evaluation.seed_variance import NOT_TRAINED, SeedVariance
from alpacare.evaluation.several import correct_several

HOW = Resampling(resamples=1000, confidence=0.95, seed=0)
preferences = st.sampled_from([-0.5, -0.25, 0.0, 0.25, 0.5, nan])


def test_known_answers() -> None:
    """Changes by hand: +1, 0, +0.5, -0.25; their mean 0.3125."""
    then = {"a": -0.5, "b": 0.5, "c": 0.0, "d": 0.0, "x": nan, "y": 0.5, "old": 0.5}
    now = {"d": -0.25, "c": 0.5, "b": 0.5, "a": 0.5, "x": 0.5, "y": nan, "new": 0.5, "new2": 0}
    compared = compare([then], [now], HOW)
    assert (compared.unreadable, compared.only_then, compared.only_now) == (2, 1, 2)
    found = compared.difference
    assert found is not None
    assert (found.n, found.changed) == (4, 3)
    assert (found.then, found.now, found.change) == (0.5, 0.8125, 0.3125)
    assert found.ci_low < 0.3125 < found.ci_high
    # variance of the changes by hand: 0.921875 / 3; (1.95996 + 0.84162)^2 * it / 0.3125^2 = 24.70,
    # with t at 26 degrees of freedom instead of z 26.7
    assert (found.items_needed, found.seeds_needed) == (27, None)


def test_nothing_in_common_gives_no_number() -> None:
    compared = compare([{"a": 0.5, "b": nan}], [{"b": 0.5}], HOW)
    assert compared.difference is None
    assert (compared.unreadable, compared.only_then, compared.only_now) == (1, 1, 0)


def test_one_item_has_no_variance() -> None:
    found = compare([{"a": -0.5}], [{"a": 0.5}], HOW).difference
    assert found is not None
    assert (found.n, found.change, found.items_needed, found.real) == (1, 1.0, None, False)


@pytest.mark.parametrize(("items", "real"), [(3, False), (5, False), (6, True)])
def test_a_few_items_won_are_chance_as_an_exact_test_has_it(items: int, real: bool) -> None:
    """Heads five times of five is 2 / 2^5 = 6 %, six times 3 %."""
    ids = [str(n) for n in range(items)]
    found = compare([dict.fromkeys(ids, -0.5)], [dict.fromkeys(ids, 0.5)], HOW).difference
    assert found is not None
    assert (found.change, found.items_needed, found.real) == (1.0, 6, real)


def test_no_change_is_no_certainty() -> None:
    """Of 70 items none changed: up to 1 - 0.025^(1/70) of all may."""
    same = {str(n): 0.5 for n in range(70)}
    found = compare([same], [same], HOW).difference
    assert found is not None
    assert (found.change, found.changed, found.items_needed, found.real) == (0.0, 0, None, False)
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
    four = [average_preferences([then] * 4)], [average_preferences([now] * 4)]
    assert compare(*four, HOW) == compare([then], [now], HOW)


@given(st.lists(st.tuples(preferences, preferences), min_size=1, max_size=40))
def test_swapping_the_versions_flips_the_sign_exactly(pairs: list[tuple[float, float]]) -> None:
    then, now = ({str(n): pair[side] for n, pair in enumerate(pairs)} for side in (0, 1))
    one = compare([then], [now], HOW).difference
    other = compare([now], [dict(reversed(then.items()))], HOW).difference
    assert (one is None) == (other is None)
    if one and other:
        assert (one.then, one.now, one.change) == (other.now, other.then, -other.change)
        assert (one.ci_low, one.ci_high) == (-other.ci_high, -other.ci_low)
        assert (one.changed, one.items_needed, one.real) == (
            other.changed,
            other.items_needed,
            other.real,
        )


def test_flips_go_by_the_sign_of_the_lead() -> None:
    then = {"a": -0.5, "b": 0.25, "c": 0.5, "d": 0.0, "e": nan, "f": 0.5}
    now = {"d": 0.25, "a": 0.0, "b": 0.5, "c": -0.25, "e": 0.5, "f": nan, "g": 0.5}
    assert flips(then, now) == [
        Flip("d", "tie", "win"),
        Flip("a", "loss", "tie"),
        Flip("c", "win", "loss"),
    ]


def seeds_of(*means: float) -> list[dict[str, float]]:
    """Training runs that differ by as much on each of 60 items, of which every third is easier."""
    return [{str(n): mean + (n % 3 == 0) / 4 for n in range(60)} for mean in means]


def test_seeds_that_differ_more_than_the_models_cannot_tell() -> None:
    found = compare(seeds_of(-0.4, 0.1), seeds_of(-0.2, 0.25), HOW).difference
    assert found is not None
    assert (found.seeds, found.change) == ((2, 2), 0.175)
    assert (found.real, found.real_for_items) == (False, True)
    assert found.effective < 1
    assert found.items_needed is None, "no number of items"
    assert 10 < (found.seeds_needed or 0) < 100


def test_one_student_at_two_commits_is_paired_by_seed() -> None:
    """What a seed brings cancels out: each seed gained as much."""
    then, now = seeds_of(-0.4, 0.1), seeds_of(-0.3, 0.2)
    found = compare(then, now, HOW, same_seeds=True).difference
    assert found is not None
    assert found.real
    apart = compare(then, now, HOW).difference
    assert apart is not None
    assert not apart.real


def test_the_interval_covers_the_true_difference_as_often_as_it_says() -> None:
    """216 items: each has its own difficulty, and the student got better on some of them."""
    rng = np.random.default_rng(0)
    trials, n = 500, 216
    wins = np.array([[0.5, 0.3], [0.2, 0.45], [0.9, 0.9]])[rng.integers(0, 3, (trials, n))]
    scores = rng.binomial(2, wins) / 2
    truth = (-0.2 + 0.25 + 0.0) / 3
    hits = 0
    for each in scores:
        then, now = ({str(i): score for i, score in enumerate(side)} for side in each.T.tolist())
        found = compare([then], [now], HOW).difference
        assert found is not None
        hits += found.ci_low <= truth <= found.ci_high
    assert 0.925 <= hits / trials <= 0.975


def test_items_needed_show_the_change_four_times_of_five() -> None:
    """Changes of 1 (15 %) and -1 (8 %): so many items, and the z test sees it in 80 %."""
    mean, variance = 0.07, 0.23 - 0.07**2
    n = items_needed(mean, Spread(100, variance / 100, 0.0, 0), 0.95)
    assert n is not None
    rng = np.random.default_rng(0)
    drawn = rng.choice([1.0, -1.0, 0.0], p=[0.15, 0.08, 0.77], size=(3000, n))
    seen = np.abs(drawn.mean(1)) > 1.95996 * drawn.std(1, ddof=1) / n**0.5
    assert 0.78 <= seen.mean() <= 0.82


def test_seeds_needed_show_the_change_four_times_of_five() -> None:
    """Two students 0.1 apart, whose trainings differ by 0.1, on items without number."""
    one = SeedVariance(0.1**2, 0.0, 2, 2)
    spread = Spread(100_000, 1e-9, 2 * 0.1**2 / 2, 2)
    count = seeds_needed(0.1, spread, (one, one), 0.95)
    assert count is not None
    assert 16 <= count <= 18, "17 in the tables for a t test of two samples and one deviation apart"
    assert seeds_needed(0.1, spread, (NOT_TRAINED, NOT_TRAINED), 0.95) is None, "nobody knows"


@pytest.mark.parametrize(("change", "variance", "needed"), [(0.0, 0.1, None), (0.1, 0.0, 6)])
def test_items_needed_where_the_formula_ends(
    change: float, variance: float, needed: int | None
) -> None:
    assert items_needed(change, Spread(10, variance / 10, 0.0, 0), 0.95) == needed


def test_one_seed_is_not_called_real_but_for_its_checkpoints() -> None:
    then, now = seeds_of(-0.4), seeds_of(0.2)
    unknown = SeedVariance(0.0, 0.0, 0, 2)
    found = compare(then, now, HOW, seeds=(unknown, unknown)).difference
    assert found is not None
    assert (found.one_seed, found.real, found.real_for_items) == (True, False, True)


def test_several_comparisons_are_corrected_as_holm_has_it() -> None:
    """Changes of 3, 2.3 and 2.1 standard errors: p is 0.003, 0.02 and 0.04."""
    found = []
    for change in (0.3, 0.23, 0.21):
        values = np.array([change + 1, change - 1] * 50)
        now = {str(n): value for n, value in enumerate(values.tolist())}
        (difference,) = [compare([dict.fromkeys(now, 0.0)], [now], HOW).difference]
        assert difference is not None
        assert difference.real
        found.append(difference)
    assert [each.real for each in correct_several(found, 0.95)] == [True, True, True]
    assert [each.real for each in correct_several(found[1:] * 2, 0.95)] == [False] * 4
    mixed = correct_several([*found[1:], found[0]], 0.95)
    assert [each.real for each in mixed] == [True, True, True]
    assert mixed[0].among == 3


@pytest.mark.parametrize(("items", "real"), [(6, False), (8, False), (9, True)])
def test_items_that_all_change_alike_are_corrected_by_the_sign_test(items: int, real: bool) -> None:
    """Among 10 p has to be below 0.005: 2 / 2^8 = 0.008 is not, 2 / 2^9 = 0.004 is."""
    then, now = ({str(n): side for n in range(items)} for side in (-0.5, 0.5))
    found = compare([then], [now], HOW).difference
    assert found is not None
    assert found.real
    assert [each.real for each in correct_several([found] * 10, 0.95)] == [real] * 10
