"""Lengths and bins, worked out by hand."""

import pytest

from alpacare.statistics.lengths import count_words, length_bins, score_bins, summarise


def test_words_stand_between_blanks() -> None:
    assert count_words("A 63-year-old, at 9 a.m.\nNow") == 6


def test_a_summary() -> None:
    found = summarise([1, 2, 3, 4, 10], 1)
    assert found == {
        "rows": 5,
        "mean": 4.0,
        "median": 3.0,
        "min": 1,
        "p5": 1.2,
        "p25": 2.0,
        "p75": 4.0,
        "p95": 8.8,
        "max": 10,
    }


def test_nothing_has_no_summary_and_no_bins() -> None:
    assert summarise([], 1) is None
    assert length_bins([]) == []
    assert score_bins([]) == []


def test_bins_have_one_round_width_and_hold_every_row() -> None:
    assert length_bins([0, 1, 1, 3]) == [(0, 1, 1), (1, 2, 2), (3, 4, 1)]
    bins = length_bins([*range(100), 5000])
    assert {to - start for start, to, _ in bins} == {5}
    assert sum(count for *_, count in bins) == 101
    assert bins[-1] == (5000, 5005, 1)


@pytest.mark.parametrize(("score", "place"), [(0, 0), (0.7, 14), (0.6999, 13), (1.0, 19)])
def test_a_score_is_in_the_bin_that_begins_with_it(score: float, place: int) -> None:
    assert [count for *_, count in score_bins([score])].index(1) == place


def test_every_bound_is_in_its_own_bin_however_float64_rounds_it() -> None:
    assert [n for *_, n in score_bins([2 * k * 0.5 / 20 for k in range(20)])] == [1] * 20
