"""The length-controlled rate: known answers, monotone, exactly symmetric, and it covers."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpacare.evaluation.bootstrap import (
    Resampling,
    draw,
    effective_sample_size,
    share_interval,
)
from alpacare.evaluation.length_control import LengthControlled, length_controlled_win_rate
from alpacare.evaluation.score import JudgeRun, Score
from alpacare.evaluation.scoring import ItemFacts, score_judgments
from alpacare.evaluation.win_rates import NO_RATE
from alpacare.records.judgment import Judgment

Figures = np.ndarray[Any, np.dtype[np.float64]]
HOW = Resampling(resamples=500, confidence=0.95, seed=0)


def controlled(preferences: Figures, by: Figures, draws: Figures | None = None) -> LengthControlled:
    found = length_controlled_win_rate(
        preferences, by, np.zeros((0, len(by))) if draws is None else draws
    )
    assert isinstance(found, LengthControlled)
    return found


def summed(won: Figures, by: Figures) -> Score:
    rows = [
        Judgment(id=str(n), order=order, verdict=verdict, raw="", request="")  # type: ignore[arg-type]
        for n, verdict in enumerate(np.where(won, "model", "reference").tolist())
        for order in ("model_first", "reference_first")
    ]
    facts = {str(n): ItemFacts(2000 + int(d), 2000, 1, "chat") for n, d in enumerate(by)}
    return score_judgments(rows, facts, HOW, JudgeRun())


@pytest.mark.parametrize(("longer", "shorter"), [(60, 400), (400, 400), (400, 60), (900, 20)])
@pytest.mark.parametrize("longer_share", [0.3, 0.5, 0.8])
def test_a_judge_that_takes_the_longer_is_caught(
    longer_share: float, longer: int, shorter: int
) -> None:
    """The win rate says what the lengths say; the length-controlled win rate is 0.5."""
    random = np.random.default_rng(1)
    ups = random.random(216) < longer_share
    by = np.where(ups, random.integers(1, 2 * longer, 216), -random.integers(1, 2 * shorter, 216))
    score = summed(ups.astype(float), by)
    assert score.win_rate == pytest.approx(longer_share, abs=0.08)
    even = score.length_controlled
    assert even.win_rate == 0.5
    assert even.ci_low is not None
    assert even.ci_high is not None
    assert even.ci_low < 0.5 < even.ci_high
    assert score.longer_preferred == 1.0


def test_too_few_on_one_side_is_said_and_equal_lengths_are_of_neither() -> None:
    by = np.array([10.0] * 29 + [0.0] * 40 + [-10.0] * 90)
    score = summed(np.arange(159) % 2, by)
    assert score.length_controlled == NO_RATE
    assert score.length_controlled_why == (
        "the model's answer is longer in 29 items and shorter in 90, and 30 of each are needed"
    )
    by[29] = 10.0
    score = summed(np.arange(159) % 2, by)
    assert (score.length_controlled_why, score.length_controlled.n) == (None, 159)


def test_the_curve_of_length_is_the_one_that_made_the_data() -> None:
    """Known answer: with theta -1 P(win) at d = 0 is 0.2689, whatever length does."""
    random = np.random.default_rng(2)
    for middle in (0, 150):
        by = random.normal(middle, 300, 40_000)
        p = 1 / (1 + np.exp(-(-1 + 1.5 * np.tanh(by / by.std()))))
        found = controlled((random.random(40_000) < p) - 0.5, by, np.ones((1, 40_000)))
        assert 0.5 + found.preference == pytest.approx(0.2689, abs=0.012)
        assert found.replicates[0] == pytest.approx(found.preference), "a draw of all items"


def test_a_judge_that_ignores_length_keeps_its_win_rate() -> None:
    random = np.random.default_rng(4)
    score = summed(random.random(1000) < 0.7, random.normal(100, 300, 1000))
    assert score.length_controlled.win_rate == pytest.approx(score.win_rate, abs=0.03)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-300, 300), st.sampled_from([1.0, 50.0, 400.0]))
def test_a_loss_that_becomes_a_win_never_lowers_it_and_sides_swap_exactly(
    seed: int, middle: float, scale: float
) -> None:
    """Also an item far out on the longer side, for which a fitted slope would be blamed."""
    random = np.random.default_rng(seed)
    by = np.round(middle / 4 * scale / 100 + scale * random.standard_t(2, 200))
    preferences = random.choice([-0.5, -0.25, 0.0, 0.5], size=200)
    found = length_controlled_win_rate(preferences, by, np.zeros((0, 200)))
    if isinstance(found, str):
        return
    swapped = controlled(-preferences, -by)
    assert (swapped.preference, swapped.balance) == (-found.preference, found.balance)
    for place in (*np.argsort(by)[[0, 1, -2, -1]], *random.integers(0, 200, 4)):
        better = preferences.copy()
        better[place] = 0.5
        assert controlled(better, by).preference >= found.preference - 1e-9


@pytest.mark.parametrize("middle", [0, 300])
def test_its_intervals_cover(middle: int) -> None:
    random = np.random.default_rng(5)
    draws, trials, hits = draw(216, 300, 0), 300, 0
    for _ in range(trials):
        by = random.normal(middle, 400, 216)
        p = 1 / (1 + np.exp(-(-0.5 + np.tanh(by / 400))))
        found = controlled((random.random(216) < p) - 0.5, by, draws)
        rate = 0.5 + found.preference
        size = effective_sample_size(rate, 0.5 + found.replicates, 216)
        low, high = share_interval(rate, min(size, found.balance * 216), 0.95)
        hits += low <= 0.3775 <= high
    assert 0.925 <= hits / trials <= 0.99  # 300 trials: +- 2.5 points of luck
