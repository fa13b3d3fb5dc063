"""A judge's win rate without its errors: the textbook's formula, and intervals that hold."""

import numpy as np
import pytest

from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.rogan_gladen import FEWEST, take_out_errors

HOW = Resampling(resamples=300, confidence=0.95, seed=0)
WIN, TIE, LOSS = 0.5, 0.0, -0.5


def preferences(*counts: tuple[int, float]) -> dict[str, float]:
    """So many items of each preference; their ids are numbers."""
    values = [preference for times, preference in counts for _ in range(times)]
    return {f"{place:04}": preference for place, preference in enumerate(values)}


def test_the_textbooks_formula() -> None:
    """Sensitivity 32 / 40, specificity 54 / 60; 300 of 1,000 found: (0.3 - 0.1) / 0.7 = 0.2857."""
    people = preferences((40, WIN), (60, LOSS))
    judge = preferences((32, WIN), (8, LOSS), (6, WIN), (54, LOSS), (262, WIN), (638, LOSS))
    found = take_out_errors(judge | {"9999": float("nan")}, people | {"9999": WIN}, HOW)
    assert (found.sensitivity.value, found.specificity.value) == (0.8, 0.9)
    assert found.rogan_gladen.value == 0.2857
    assert found.rogan_gladen.ci_low is not None
    assert found.rogan_gladen.ci_high is not None
    assert found.rogan_gladen.ci_low < 0.25 < 0.33 < found.rogan_gladen.ci_high


def test_a_sample_of_another_mix_does_not_mislead_it() -> None:
    """People read 50 wins and 50 losses of a model that wins 30 % of 1,000."""
    people = preferences((50, WIN), (50, LOSS))
    read = [(40, WIN), (10, LOSS), (5, WIN), (45, LOSS)]
    judge = preferences(*read, (200 + 65 - 45, WIN), (50 + 585 + 45, LOSS))
    found = take_out_errors(judge, people, HOW).rogan_gladen.value
    assert found == pytest.approx(((265 / 1000) - 0.1) / 0.7, abs=1e-3)


@pytest.mark.parametrize(
    "people",
    [
        preferences((FEWEST - 15, WIN), (14, LOSS)),
        preferences((4, WIN), (96, LOSS)),
        preferences((98, WIN), (3, TIE)),
        {},
    ],
)
def test_too_few_to_tell(people: dict[str, float]) -> None:
    found = take_out_errors(preferences((100, WIN), (100, LOSS)), people, HOW)
    assert found.rogan_gladen.value is found.sensitivity.value is None


def test_a_judge_that_guesses_has_no_rate() -> None:
    judge = preferences(*[(1, WIN), (1, LOSS)] * 100)  # the same for people's wins and losses
    found = take_out_errors(judge, preferences((50, WIN), (50, LOSS)), HOW)
    assert found.rogan_gladen.value is None
    assert found.sensitivity.value is not None


def test_its_intervals_cover() -> None:
    """95 %, and 200 trials: +- 3 points of luck."""
    random, hits, names = np.random.default_rng(1), 0, [f"{n:04}" for n in range(1000)]
    how = Resampling(resamples=200, confidence=0.95, seed=3)
    for _ in range(200):
        won = random.random(1000) < 0.35
        says = np.where(random.random(1000) < 0.85, won, ~won) - 0.5
        people = dict(zip(names[:100], (won - 0.5).tolist(), strict=False))
        found = take_out_errors(dict(zip(names, says.tolist(), strict=True)), people, how)
        low, high = found.rogan_gladen.ci_low, found.rogan_gladen.ci_high
        assert low is not None
        assert high is not None
        hits += low <= 0.35 <= high
    assert 0.91 <= hits / 200 <= 0.985
