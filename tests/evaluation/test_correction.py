"""PPI++: known answers, exact symmetry, and intervals that hold what they say and help."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import nan
from typing import Any

import numpy as np
import pytest

from alpacare.evaluation.bootstrap import share_interval
from alpacare.evaluation.correction import (
    FEWEST,
    Pair,
    correct_win_rate,
    too_few,
    too_few_alone,
)

# people's verdict, the judge's, on how many items both; the judge's on those that nobody read
READ = [(1, 1, 38), (1, 0.5, 6), (1, 0, 4), (0.5, 1, 8), (0.5, 0.5, 4), (0.5, 0, 4)]
READ += [(0, 1, 12), (0, 0.5, 6), (0, 0, 38)]
UNREAD = [(1, 420), (0.5, 80), (0, 380)]
Shares = np.ndarray[Any, np.dtype[np.float64]]


def pairs_of(judge: Sequence[float], people: Sequence[float], reference: str = "r") -> list[Pair]:
    """The first of them are read; verdicts are scores in 0..1."""
    said = [*people, *[nan] * (len(judge) - len(people))]
    return [
        Pair(f"{n:04}", reference, "", mine - 0.5, theirs - 0.5)
        for n, (mine, theirs) in enumerate(zip(judge, said, strict=True))
    ]


def table(read: Sequence[tuple[float, float, int]], unread: Sequence[tuple[float, int]]) -> Any:
    judge = [score for _, score, n in read for _ in range(n)]
    return pairs_of(
        judge + [score for score, n in unread for _ in range(n)],
        [score for score, _, n in read for _ in range(n)],
    )


def test_ppi_pythons_figures() -> None:
    """ppi_python 0.2.3, ppi_mean_pointestimate and ppi_mean_ci, on the same 120 and 880 items.

    It pools the variance of the judge over all items, hence 0.494 and not 0.507.
    """
    found = correct_win_rate(table(READ, UNREAD), 0.95)
    assert 0.5 + found.preference == pytest.approx(0.4532, abs=0.0005)
    assert (found.low, found.high) == pytest.approx((0.3838, 0.5225), abs=0.0025)
    assert found.tuning / (1 + 120 / 880) == pytest.approx(0.494, abs=0.015)


def test_people_who_read_all_are_right_ties_and_all() -> None:
    """Whatever the judge says: 48 wins and 16 ties of 120; nearly people's own interval.

    The variance of a verdict is 0.2174, that of the mean 0.00181: 0.2489 / 0.00181 = 137 items.
    """
    found = correct_win_rate(table(READ, []), 0.95)
    assert 0.5 + found.preference == pytest.approx(56 / 120)
    assert (found.low, found.high) == pytest.approx(share_interval(56 / 120, 137, 0.95), abs=0.003)


def test_a_judge_that_knows_nothing_leaves_peoples_mean() -> None:
    for verdict in (0.5, 1.0):
        pairs = [replace(pair, judge=verdict) for pair in table(READ, UNREAD)]
        found = correct_win_rate(pairs, 0.95)
        assert (found.tuning, found.explained) == (0, 0)
        assert 0.5 + found.preference == pytest.approx(56 / 120)
    contrary = [replace(pair, judge=-pair.judge) for pair in table(READ, UNREAD)]
    assert correct_win_rate(contrary, 0.95).tuning == 0


def test_swapped_sides_are_exactly_one_minus_it() -> None:
    for read in (READ, [(1, 1, 60), (0, 1, 3)], [(1, 1, 70)]):
        pairs = table(read, UNREAD)
        turned = [replace(pair, judge=-pair.judge, people=-pair.people) for pair in pairs]
        here, there = correct_win_rate(pairs, 0.95), correct_win_rate(turned, 0.95)
        assert here.preference == -there.preference
        assert (round(here.low, 12), here.tuning) == (round(1 - there.high, 12), there.tuning)


def test_the_same_items_against_another_reference_are_no_new_evidence() -> None:
    pairs = table(READ, UNREAD)
    twice = [*pairs, *(replace(pair, reference="s") for pair in pairs)]
    one, both = correct_win_rate(pairs, 0.95), correct_win_rate(twice, 0.95)
    assert both.reviewed == pytest.approx(one.reviewed)
    assert (both.low, both.high) == pytest.approx((one.low, one.high))


def test_each_stratum_counts_by_its_size() -> None:
    """People read 40 of 100 hard tasks and 40 of 300 easy ones; without a judge's help."""
    pairs = [
        Pair(f"{stratum}{n}", "r", stratum, 0.0, (0.5 if n < won else -0.5) if n < 40 else nan)
        for stratum, won, size in (("hard", 8, 100), ("easy", 24, 300))
        for n in range(size)
    ]
    found = correct_win_rate(pairs, 0.95)
    assert 0.5 + found.preference == pytest.approx((100 * 0.2 + 300 * 0.6) / 400)
    assert found.reviewed == pytest.approx(1 / (40 * (0.25 / 40) ** 2 + 40 * (0.75 / 40) ** 2))
    unread = [replace(p, people=nan) if p.stratum == "hard" else p for p in pairs]
    assert 0.5 + correct_win_rate(unread, 0.95).preference == pytest.approx(0.6)


def test_too_few_to_tell() -> None:
    pairs = table([(1, 1, FEWEST - 1)], UNREAD)
    assert too_few(pairs) == f"59 reviewed items that the judge could read, and {FEWEST} are needed"
    enough = table([(1, 1, FEWEST)], UNREAD)
    assert too_few(enough) is None
    other = [replace(pair, reference="s", people=nan) for pair in enough]
    assert too_few([*enough, *other]) == "people read nothing against s"


@pytest.mark.parametrize(("easy", "hard", "effective"), [(1, 2, "1.2"), (1, 80, "1.2")])
def test_items_that_speak_for_most_others_are_few(easy: int, hard: int, effective: str) -> None:
    """One of 900 easy tasks is read, and some of 100 hard ones: Kish 1 / (0.9^2 + 0.1^2 / n)."""
    pairs = [
        Pair(f"{stratum}{n}", "r", stratum, 0.5, (0.5 if n % 2 else -0.5) if n < read else nan)
        for stratum, read, size in (("easy", easy, 900), ("hard", hard, 100))
        for n in range(size)
    ]
    why = too_few_alone(pairs)
    assert why is not None
    assert f"{easy + hard} reviewed items are as good as {effective}, since" in why
    assert too_few(pairs) is not None
    assert too_few_alone(pairs_of([1, 0, 1, 0], [1, 0])) is not None
    assert too_few_alone(pairs_of([1, 0, 1, 0], [1, 0, 0])) is None
    found = correct_win_rate(pairs_of([1, 0, 1, 0], [1, 0, 0]), 0.95)
    assert 0 <= found.low < 1 / 3 < found.high <= 1


def studies(
    rng: np.random.Generator, items: int, share: float, accuracy: float, leaning: str
) -> Iterator[tuple[Shares, Shares]]:
    """What people and a judge say of all items: ties, and errors that lean to one side."""
    error = 1 - accuracy
    while True:
        won = rng.random(items) < share
        tied = rng.random(items) < (0.15 if leaning == "ties" else 0.0)
        truth = np.where(tied, 0.5, won)
        luck, longer = rng.random(items), rng.random(items) < 0.7
        if leaning == "length":  # says what is longer, else the truth
            yield truth, np.where(luck < 2 * error, longer, truth)
        elif leaning == "slot":  # takes the first answer: half a win, or wrong twice
            yield truth, np.where(luck < 2 * error, np.where(longer, 0.5, 1 - truth), truth)
        else:
            wrong = luck < (np.where(won, 0.3, 1.7) * error if leaning == "lenient" else error)
            yield truth, np.where(wrong, 1 - truth, truth)


@pytest.mark.parametrize(
    ("items", "reviewed", "share", "accuracy", "leaning"),
    [
        (1000, 60, 0.8, 0.95, "lenient"),  # three errors expected among those that are read
        (1000, 60, 0.3, 0.9, "length"),
        (216, 60, 0.5, 0.6, "slot"),
        (216, 60, 0.7, 0.75, "ties"),
        (400, 150, 0.3, 0.85, "lenient"),
        (216, 100, 0.8, 0.6, "length"),
    ],
)
def test_intervals_cover_and_are_hardly_wider_than_peoples(
    items: int, reviewed: int, share: float, accuracy: float, leaning: str
) -> None:
    """95 %, and 400 trials: +- 2.1 points of luck."""
    trials = 400
    rng, hits, ours, theirs = np.random.default_rng(1), 0, 0.0, 0.0
    study = studies(rng, items, share, accuracy, leaning)
    target = share if leaning != "ties" else 0.85 * share + 0.075
    for _ in range(trials):
        truth, judge = next(study)
        people = truth[:reviewed]
        found = correct_win_rate(pairs_of(judge.tolist(), people.tolist()), 0.95)
        hits += found.low <= target <= found.high
        ours += found.high - found.low
        mean, variance = float(people.mean()), float(people.var(ddof=1)) / reviewed
        low, high = share_interval(mean, mean * (1 - mean) / variance, 0.95)
        theirs += high - low
    assert hits / trials >= 0.93
    assert ours / trials <= theirs / trials + 0.01


def test_a_good_judge_halves_the_reviews() -> None:
    """Of 1,000 items 100 are read, the judge is right in 92 %: alone they give 19.5 points."""
    truth, judge = next(studies(np.random.default_rng(2), 1000, 0.5, 0.92, "none"))
    found = correct_win_rate(pairs_of(judge.tolist(), truth[:100].tolist()), 0.95)
    assert found.high - found.low < 0.135
