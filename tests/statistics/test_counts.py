"""Counts and entropies, worked out by hand."""

from collections import Counter

import pytest

from alpacare.statistics.counts import (
    describe_spread,
    describe_verbs,
    entropy,
    rank_values,
    top_pairs,
)


@pytest.mark.parametrize(
    ("counts", "bits"),
    [([], 0.0), ([7], 0.0), ([3, 3], 1.0), ([2, 1, 1], 1.5), ([1] * 8, 3.0), ([2, 0, 2], 1.0)],
)
def test_entropy(counts: list[int], bits: float) -> None:
    assert entropy(counts) == bits


def test_values_that_differ_by_case_are_one() -> None:
    values = ["Genetics", "anatomy", "genetics", "Genetics", "Anatomy", "Surgery"]
    assert rank_values(values) == [("Genetics", 3), ("anatomy", 2), ("Surgery", 1)]


def test_the_top_20_leave_the_tail_out() -> None:
    counts = [(f"v{n}", 2) for n in range(20)] + [("rare", 1)] * 8
    found = describe_spread(counts, 50)
    assert found
    assert (found["known"], found["unknown"], found["distinct"]) == (48, 2, 28)
    assert found["top_20_entropy_bits"] == 4.3219  # log2 20
    assert found["top_20_share"] == 0.8333  # 40 of 48
    # 20 x 1/24 log2 24 + 8 x 1/48 log2 48
    assert found["entropy_bits"] == 4.7516


def test_nothing_known_is_null() -> None:
    assert describe_spread([], 3) is None


def test_top_pairs_are_20_verbs_with_four_objects_each() -> None:
    pairs = {("write", noun): 1 for noun in "fedcba"} | {("list", "sign"): 9}
    pairs |= {(f"v{n:02}", "x"): 3 for n in range(20)}
    top = top_pairs(Counter(pairs))
    assert top[0] == ("list", "sign", 9)
    assert top[1:5] == [("write", noun, 1) for noun in "abcd"]
    assert [verb for verb, *_ in top[5:]] == [f"v{n:02}" for n in range(18)]


def test_verbs_over_all_and_over_the_top() -> None:
    # 21 verbs; the one with a single row falls out of the top 20
    found = [(f"v{n}", "x") for n in range(20) for _ in range(2)]
    figures = describe_verbs([*found, ("w", "x"), ("explain", None), (None, None)])
    assert figures["with_verb"] == 42
    assert figures["with_object"] == 41
    assert figures["distinct_verbs"] == 22
    assert figures["distinct_pairs"] == 21
    assert figures["top_entropy_bits"] == 4.3219
    assert figures["pair_entropy_bits"] == 4.3819  # 20 x 2/41 log2(41/2) + 1/41 log2 41
    assert (figures["top_covers"], figures["top_covers_share"]) == (40, 0.9302)  # of 43
