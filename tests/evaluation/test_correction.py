"""A judge's win rate without its errors: known answers, intervals that hold what they say."""

import numpy as np
import pytest

from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.correction import FEWEST, correct_win_rate

HOW = Resampling(resamples=300, confidence=0.95, seed=0)
WIN, TIE, LOSS = 0.5, 0.0, -0.5
CENTRED = np.array([WIN, TIE, LOSS])


def preferences(*counts: tuple[int, float]) -> dict[str, float]:
    """So many items of each preference; their ids are numbers."""
    values = [preference for times, preference in counts for _ in range(times)]
    return {f"{place:04}": preference for place, preference in enumerate(values)}


def test_the_textbooks_formula() -> None:
    """Sensitivity 32 / 40, specificity 54 / 60; 300 of 1,000 found: (0.3 - 0.1) / 0.7 = 0.2857."""
    people = preferences((40, WIN), (60, LOSS))
    judge = preferences((32, WIN), (8, LOSS), (6, WIN), (54, LOSS), (262, WIN), (638, LOSS))
    found = correct_win_rate(judge, people, HOW)
    assert (found.judged, found.reviewed, found.why) == (1000, 100, None)
    assert (found.sensitivity.value, found.specificity.value) == (0.8, 0.9)
    assert found.win_rate.value == 0.2857
    assert found.win_rate.ci_low is not None
    assert found.win_rate.ci_high is not None
    assert found.win_rate.ci_low < 0.25 < 0.33 < found.win_rate.ci_high


def test_people_who_read_all_are_right_ties_and_all() -> None:
    """Whatever the judge does with ties: 20 wins, 10 ties and 30 losses are 25 of 60."""
    people = preferences((20, WIN), (10, TIE), (30, LOSS))
    judge = preferences((18, WIN), (2, TIE), (7, WIN), (3, LOSS), (5, WIN), (5, 0.25), (20, LOSS))
    found = correct_win_rate(judge, people, HOW)
    assert found.win_rate.value == 0.4167
    hits = 18 + 2 * 0.5 + 0.5 * 7
    assert found.sensitivity.value == round(hits / 25, 4)


def test_swapped_sides_give_one_minus_it() -> None:
    people = preferences((40, WIN), (20, TIE), (30, LOSS))
    judge = preferences((30, WIN), (10, TIE), (15, WIN), (5, LOSS), (5, WIN), (225, LOSS))
    other = [{id: -preference for id, preference in each.items()} for each in (judge, people)]
    here, there = correct_win_rate(judge, people, HOW), correct_win_rate(other[0], other[1], HOW)
    assert None not in (here.win_rate.value, there.win_rate.value)
    assert here.win_rate.value == pytest.approx(1 - (there.win_rate.value or 0), abs=2e-4)
    assert here.win_rate.ci_low == pytest.approx(1 - (there.win_rate.ci_high or 0), abs=2e-4)
    assert here.sensitivity == there.specificity


def test_verdicts_that_cannot_be_read_do_not_count() -> None:
    people = preferences((40, WIN), (60, LOSS))
    judge = preferences((40, WIN), (60, LOSS), (100, float("nan")))
    found = correct_win_rate(judge, people | {"0150": WIN}, HOW)
    assert (found.judged, found.reviewed, found.win_rate.value) == (100, 100, 0.4)


@pytest.mark.parametrize(
    ("people", "told"),
    [
        (preferences((15, WIN), (14, LOSS)), f"29 reviewed items, and {FEWEST} are needed"),
        (preferences((4, WIN), (96, LOSS)), "people see 4 wins in 100 items, and 5 are needed"),
        (preferences((98, WIN), (3, TIE)), "people see 1.5 losses in 101 items, and 5 are needed"),
        ({}, "0 reviewed items"),
    ],
)
def test_too_few_to_tell(people: dict[str, float], told: str) -> None:
    found = correct_win_rate(preferences((100, WIN), (100, LOSS)), people, HOW)
    assert found.why is not None
    assert told in found.why
    assert found.win_rate.value is found.win_rate.ci_low is None


def test_a_judge_that_guesses_cannot_be_corrected() -> None:
    judge = preferences(*[(1, WIN), (1, LOSS)] * 100)  # the same for people's wins and losses
    found = correct_win_rate(judge, preferences((50, WIN), (50, LOSS)), HOW)
    assert found.why is not None
    assert "with 100 reviewed items, the judge may be no better" in found.why
    assert found.win_rate.value is None
    assert found.sensitivity.value is not None


# what a judge says (win, tie, loss) where people say win, tie, loss
GOOD = [[0.8, 0.1, 0.1], [0.3, 0.4, 0.3], [0.1, 0.1, 0.8]]
LENIENT = [[0.9, 0.05, 0.05], [0.6, 0.3, 0.1], [0.3, 0.2, 0.5]]


@pytest.mark.parametrize(
    ("items", "reviewed", "shares", "judge"),
    [
        (216, 50, (0.4, 0.2, 0.4), GOOD),
        (216, 100, (0.15, 0.15, 0.7), LENIENT),
        (216, 30, (0.4, 0.2, 0.4), LENIENT),
        (1000, 100, (0.3, 0.1, 0.6), GOOD),
    ],
)
def test_intervals_cover_the_truth_as_often_as_they_say(
    items: int, reviewed: int, shares: tuple[float, ...], judge: list[list[float]]
) -> None:
    """95 %, and 300 trials: +- 2.5 points of luck."""
    random = np.random.default_rng(1)
    how = Resampling(resamples=200, confidence=0.95, seed=3)
    truth = shares[0] + shares[1] / 2
    names = [f"{n:04}" for n in range(items)]
    hits = shown = 0
    for _ in range(300):
        real = random.choice(3, p=shares, size=items)
        says = (random.random(items)[:, None] > np.cumsum(judge, axis=1)[real]).sum(axis=1)
        people = dict(zip(names[:reviewed], CENTRED[real].tolist(), strict=False))
        verdicts = dict(zip(names, CENTRED[np.minimum(says, 2)].tolist(), strict=True))
        found = correct_win_rate(verdicts, people, how).win_rate
        if found.ci_low is not None and found.ci_high is not None:
            shown += 1
            hits += found.ci_low <= truth <= found.ci_high
    assert shown > 250
    assert 0.91 <= hits / shown <= 0.98
