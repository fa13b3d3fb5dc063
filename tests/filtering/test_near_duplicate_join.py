"""Pairs and rules against rouge_score itself, whatever the rows and the threshold."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from every_pair import pairs_above
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from alpacare.filtering import near_duplicate_join as engine
from alpacare.filtering import rare_token_lists
from alpacare.filtering.near_duplicates import KeepFirst, KeepNone, NearDuplicatePair, pairs_across
from alpacare.filtering.tokens import latin

pytestmark = pytest.mark.usefixtures("lists")
ORACLE = RougeScorer(["rougeL"], use_stemmer=False)
THRESHOLDS = [0.5, 0.6, 0.7, 0.8]
threshold = st.sampled_from([0, *THRESHOLDS, 1]) | st.floats(0, 1)
words = st.lists(st.sampled_from("abcdefgh"), max_size=12)


@pytest.fixture(scope="module", params=["one list for few rows", "a list for each token"])
def lists(request: pytest.FixtureRequest) -> Iterator[None]:
    """Index few rows as few and, by other limits, as many."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "a list for each token":
            patch.setattr(engine, "OVERHEAD", 1)
            patch.setattr(rare_token_lists, "OVERHEAD", 1)
            patch.setattr(rare_token_lists, "_DENSE", np.inf)
        yield


@st.composite
def texts(draw: st.DrawFn) -> list[str]:
    """Draw rows of which many are copies of one another with a word more or less."""
    rows: list[list[str]] = []
    for row in draw(st.lists(words, max_size=12)):
        if rows and draw(st.booleans()):
            row = list(draw(st.sampled_from(rows)))
            place = draw(st.integers(0, len(row)))
            row[place : place + draw(st.integers(0, 2))] = draw(st.lists(st.just("x"), max_size=2))
        rows.append(row)
    return [" ".join(row) for row in rows]


def f(a: str, b: str) -> float:
    return float(ORACLE.score(a, b)["rougeL"].fmeasure)


def naive(rows: Sequence[str], threshold: float) -> list[NearDuplicatePair]:
    scored = (
        NearDuplicatePair(i, j, f(rows[i], rows[j])) for j in range(len(rows)) for i in range(j)
    )
    return [pair for pair in scored if pair.score > threshold]


def drop_later(pairs: list[NearDuplicatePair]) -> dict[int, NearDuplicatePair]:
    """Keep first, by its definition."""
    dropped: dict[int, NearDuplicatePair] = {}
    for second in sorted({pair.second for pair in pairs}):
        near = [p for p in pairs if p.second == second and p.first not in dropped]
        if near:
            dropped[second] = max(near, key=lambda pair: (pair.score, -pair.first))
    return dropped


def drop_both(pairs: list[NearDuplicatePair]) -> dict[int, NearDuplicatePair]:
    """Keep none, by its definition."""
    dropped: dict[int, NearDuplicatePair] = {}
    for pair in pairs:
        for row in (pair.first, pair.second):
            if row not in dropped or pair.score > dropped[row].score:
                dropped[row] = pair
    return dropped


@settings(max_examples=60)  # for each way to index
@given(texts(), threshold)
def test_every_rule_equals_its_definition(rows: list[str], threshold: float) -> None:
    pairs = naive(rows, threshold)
    assert pairs_above(rows, threshold) == pairs
    assert KeepNone(threshold, latin).add(rows) == drop_both(pairs)
    assert KeepFirst(threshold, latin).add(rows) == drop_later(pairs)


@settings(max_examples=60)  # for each way to index
@given(texts(), threshold, st.lists(st.integers(0, 12)))
def test_rounds_do_not_change_what_is_kept(
    rows: list[str], threshold: float, cuts: list[int]
) -> None:
    rule, dropped = KeepFirst(threshold, latin), {}
    for start, stop in pairwise([0, *sorted(cuts), len(rows)]):
        dropped |= rule.add(iter(rows[start:stop]))
    assert dropped == drop_later(naive(rows, threshold))


@settings(max_examples=60)  # for each way to index
@given(texts(), threshold, st.lists(st.integers(0, 12)))
def test_keep_none_in_rounds(rows: list[str], threshold: float, cuts: list[int]) -> None:
    """Each round tells, by its own pairs, what is dropped now; a dropped text still counts."""
    rule, dropped = KeepNone(threshold, latin), set()
    pairs = naive(rows, threshold)
    for start, stop in pairwise([0, *sorted(cuts), len(rows)]):
        now = drop_both([pair for pair in pairs if start <= pair.second < stop])
        assert rule.add(iter(rows[start:stop])) == {i: now[i] for i in now.keys() - dropped}
        dropped |= now.keys()
    assert dropped == drop_both(pairs).keys()


@settings(max_examples=60)  # for each way to index
@given(texts(), texts(), threshold)
def test_across_two_lists(firsts: list[str], seconds: list[str], threshold: float) -> None:
    expected = [
        NearDuplicatePair(i, j, f(one, other))
        for j, other in enumerate(seconds)
        for i, one in enumerate(firsts)
        if f(one, other) > threshold
    ]
    assert list(pairs_across(firsts, iter(seconds), threshold, latin)) == expected


@cache
def corpus() -> list[str]:
    """2,000 rows: near and equal ones, repeated words, none or one, scores on a threshold."""
    draw = random.Random(0)
    vocabulary = [f"w{i}" for i in range(400)]
    weights = [1 / (i + 1) for i in range(400)]
    rows: list[list[str]] = [[], [], ["w1"], ["w1"], ["w1"] * 7, ["w1"] * 9]
    for common, m, n in [(7, 10, 10), (7, 9, 11), (14, 17, 23), (21, 25, 35), (12, 20, 20)]:
        rows += [
            [*vocabulary[:common], *(f"{side}{i}" for i in range(size - common))]
            for side, size in (("a", m), ("b", n))
        ]
    while len(rows) < 2000:
        row = draw.choices(vocabulary, weights, k=max(1, round(draw.gauss(12, 5))))
        if draw.random() < 0.4:
            row = list(draw.choice(rows))
            for _ in range(draw.randrange(4)):
                place = draw.randrange(len(row) + 1)
                row[place : place + draw.randrange(2)] = draw.choices(vocabulary, weights)
        rows.append(row)
    return [" ".join(row) for row in rows]


@cache
def corpus_pairs() -> list[NearDuplicatePair]:
    """Score by rouge_score all pairs of the corpus that share enough words for F > 0.49.

    2 x shared / (m + n), words counted as often as both have them, is never below F.
    """
    counts = [Counter(row.split()) for row in corpus()]
    sizes = np.array([count.total() for count in counts])
    shared = np.zeros((2000, 2000), dtype=np.int32)
    for word in set().union(*counts):
        column = np.array([count[word] for count in counts], dtype=np.int32)
        has = np.flatnonzero(column)
        shared[np.ix_(has, has)] += np.minimum(column[has, None], column[has])
    enough = np.tril(2 * shared > 0.49 * (sizes[:, None] + sizes), -1)
    return [
        NearDuplicatePair(int(i), int(j), f(corpus()[i], corpus()[j]))
        for j, i in np.argwhere(enough).tolist()
    ]


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_2000_rows_equal_rouge_score(threshold: float) -> None:
    pairs = [pair for pair in corpus_pairs() if pair.score > threshold]
    assert len(pairs) > 500
    assert pairs_above(corpus(), threshold) == pairs
    assert KeepNone(threshold, latin).add(corpus()) == drop_both(pairs)
    assert KeepFirst(threshold, latin).add(corpus()) == drop_later(pairs)


def test_2000_rows_in_rounds() -> None:
    pairs = [pair for pair in corpus_pairs() if pair.score > 0.7]
    first, none = KeepFirst(0.7, latin), KeepNone(0.7, latin)
    dropped_first: dict[int, NearDuplicatePair] = {}
    dropped_none: set[int] = set()
    for start, stop in pairwise([0, 1, 8, 500, 1100, 2000]):
        dropped_first |= first.add(corpus()[start:stop])
        dropped_none |= none.add(corpus()[start:stop]).keys()
    assert dropped_first == drop_later(pairs)
    assert dropped_none == drop_both(pairs).keys()


@pytest.mark.parametrize("size", [7, 14, 28])
def test_a_row_inside_another_exactly_at_the_threshold(size: int) -> None:
    """All of the short row's tokens, and the rarest of the long one's only just not enough."""
    short = [f"w{i}" for i in range(size)]
    long = [*short, *(f"rare{i}" for i in range(size * 6 // 7))]
    rows = [*short, " ".join(short), " ".join(long)]
    assert f(rows[-1], rows[-2]) > 0.7
    assert pairs_above(rows, 0.7) == naive(rows, 0.7)
