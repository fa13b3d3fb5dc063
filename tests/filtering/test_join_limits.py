"""The join where it is hard: long rows, crowds of near rows, many words; and how much it scores."""

import os
import random
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from every_pair import pairs_above

from alpacare.filtering import join_rows, rare_token_lists
from alpacare.filtering import near_duplicate_join as engine
from alpacare.filtering.join_rows import JoinedPairs
from alpacare.filtering.near_duplicate_join import NearDuplicateJoin
from alpacare.filtering.near_duplicates import KeepFirst, KeepNone, NearDuplicatePair, pairs_across
from alpacare.filtering.rouge import encode, f_measure, scores
from alpacare.filtering.tokens import TokenNumbers, latin, unicode


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pairs each step of the join scored."""
    counts: list[int] = []
    original = NearDuplicateJoin._scored

    def counting(self: NearDuplicateJoin, rows: int, keys: np.ndarray) -> JoinedPairs:
        counts.append(len(keys))
        return original(self, rows, keys)

    monkeypatch.setattr(NearDuplicateJoin, "_scored", counting)
    return counts


def sentences(rows: int, words: int, length: int, seed: int = 0) -> list[str]:
    """Draw rows of which each fifth is the one before it with a few words changed."""
    draw, texts = random.Random(seed), [["w0"]]
    while len(texts) < rows:
        text = [f"w{draw.randrange(words)}" for _ in range(draw.randint(length // 2, length))]
        if len(texts) % 5 == 0:
            text = [word if draw.random() < 0.9 else "x" for word in texts[-1]]
        texts.append(text)
    return [" ".join(text) for text in texts]


def matrix_pairs(texts: list[str], threshold: float) -> list[NearDuplicatePair]:
    """All pairs above the threshold by the whole matrix, which equals rouge_score's."""
    encoded = encode(texts)
    matrix = np.tril(scores(encoded, encoded), -1)
    return [
        NearDuplicatePair(i, j, matrix[j, i])
        for j, i in np.argwhere(matrix > threshold).tolist()
        if i < j
    ]


@pytest.mark.parametrize("threshold", [0, 0.3, 0.5, 0.7, 0.9])
@pytest.mark.parametrize("length", [20, 100, 300])
def test_rows_of_any_length(length: int, threshold: float) -> None:
    texts = sentences(200, 300, length)
    expected = matrix_pairs(texts, threshold)
    assert len(expected) > 5
    assert pairs_above(texts, threshold) == expected


@pytest.mark.parametrize("threshold", [0.5, 0.6, 0.7, 0.8])
def test_5000_word_rows_among_short_ones(threshold: float) -> None:
    draw = random.Random(0)
    long = [f"w{draw.randrange(3000)}" for _ in range(5000)]
    edited = [[word if draw.random() < share else "x" for word in long] for share in (0.9, 0.65)]
    texts = [*sentences(50, 300, 20), " ".join(long), *map(" ".join, edited), " ".join(long[:3000])]
    expected = matrix_pairs(texts, threshold)
    assert any(pair.first >= 50 for pair in expected)
    assert pairs_above(texts, threshold) == expected


def test_rows_so_long_that_counts_outgrow_16_bits() -> None:
    long = [f"w{i}" for i in range(80_000)]
    other = [*long[:-33_500], *(f"x{i}" for i in range(33_500))]
    score = float(f_measure(*np.array([46_500, 80_000, 80_000])))
    assert pairs_above([" ".join(long), " ".join(other)], 0.5) == [NearDuplicatePair(0, 1, score)]


@pytest.mark.parametrize(
    "limit", ["_CANDIDATES", "_STEP", "_TILE", "_COLUMNS", "OVERHEAD", "_CHARACTERS"]
)
def test_no_limit_changes_the_result(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = sentences(300, 100, 10)
    expected = matrix_pairs(texts, 0.4)
    monkeypatch.setattr(join_rows if limit == "_CHARACTERS" else engine, limit, 7)
    if limit == "OVERHEAD":
        monkeypatch.setattr(rare_token_lists, limit, 7)
    monkeypatch.setattr(rare_token_lists, "_DENSE", np.inf)
    assert pairs_above(texts, 0.4) == expected


@pytest.mark.parametrize("work", [0, 0.6, np.inf])
@pytest.mark.parametrize("limit", ["_CANDIDATES", "_DENSE_STEP", "_TILE", "_HEIGHT", "_WIDTH"])
def test_comparing_all_rows_gives_the_same(
    limit: str, work: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["", *sentences(200, 12, 10), ""]
    monkeypatch.setattr(engine, limit, 7)
    monkeypatch.setattr(engine, "_ALL", work)
    monkeypatch.setattr(engine, "_MANY", 0)
    monkeypatch.setattr(rare_token_lists, "_DENSE", -1)
    for threshold in (0, 0.4, 0.7):
        assert pairs_above(texts, threshold) == matrix_pairs(texts, threshold)


def test_few_of_the_pairs_are_scored(scored: list[int]) -> None:
    texts = sentences(3000, 2000, 20)
    assert len(pairs_above(texts, 0.7)) > 300
    assert sum(scored) < 3000 * 2999 / 2 / 1000


def test_equal_rows_cost_one_comparison_each(scored: list[int]) -> None:
    texts = ["list the signs of sepsis in a child"] * 10_000
    assert KeepFirst(0.7, latin).add(texts) == {
        i: NearDuplicatePair(0, i, 1.0) for i in range(1, 10_000)
    }
    assert KeepNone(0.7, latin).add(texts)[0] == NearDuplicatePair(0, 1, 1.0)
    assert sum(scored) == 2 * 9_999


def test_a_crowd_of_near_rows_is_met_in_small_steps(
    scored: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_CANDIDATES", 1 << 15)
    texts = [f"give the dose of drug {i} for a child of ten with fever" for i in range(4000)]
    assert len(KeepFirst(0.7, latin).add(texts)) == 3999
    assert max(scored) < 1 << 15
    assert sum(scored) < 4000 * 3999 / 2 / 10


def test_empty_rows_are_near_nothing() -> None:
    assert pairs_above(["", "?!", ""], 0.0) == []
    assert KeepFirst(0.0, latin).add(["", "a", "", "a"]) == {3: NearDuplicatePair(1, 3, 1.0)}


@pytest.mark.parametrize("texts", [[], ["alone"]])
def test_nothing_to_compare(texts: list[str]) -> None:
    assert pairs_above(texts, 0.7) == []
    assert KeepNone(0.7, latin).add(texts) == KeepFirst(0.7, latin).add(texts) == {}


def test_progress_counts_every_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_DENSE_STEP", 64)
    done: list[int] = []
    KeepFirst(0.7, latin).add(sentences(300, 100, 10), advance=done.append)
    assert sum(done) == 300
    assert len(done) == 5


def test_another_tokenizer_sees_what_the_default_cannot() -> None:
    texts = ["糖尿病的主要病因是什么", "糖尿病的主要病因是什么呢"]
    assert pairs_above(texts, 0.7) == []
    assert [(p.first, p.second) for p in pairs_above(texts, 0.7, unicode)] == [(0, 1)]


def test_seconds_may_come_in_parts() -> None:
    texts = sentences(300, 100, 10)
    expected = list(pairs_across(texts[:40], iter(texts), 0.3, latin))
    assert {pair.second // 64 for pair in expected} >= {0, 1, 4}
    found = [
        replace(pair, second=pair.second + start)
        for start in range(0, 300, 64)
        for pair in pairs_across(texts[:40], texts[start : start + 64], 0.3, latin)
    ]
    assert found == expected


def test_numbers_that_no_row_has_do_not_count_as_tokens() -> None:
    """A block of a large corpus has few of its tokens: they must still fit a character each."""
    tokens, lengths = TokenNumbers(latin).encode(sentences(50, 100, 10))
    sequences = NearDuplicateJoin(tokens + join_rows._CHARACTERS, lengths, 0.5)._sequences.tolist()
    assert all(isinstance(row, str) for row in sequences)
    assert sequences == NearDuplicateJoin(tokens, lengths, 0.5)._sequences.tolist()


def test_any_workers_give_the_same_found() -> None:
    numbered = TokenNumbers().encode(sentences(2000, 300, 12))
    partners = np.ones(2000, dtype=np.bool_)
    joins = [NearDuplicateJoin(*numbered, 0.5, workers) for workers in (1, 2, 5)]
    results = [list(join.pairs(0, partners)) for join in joins]
    for one, other in pairwise(results):
        assert [found.rows for found in one] == [found.rows for found in other]
        for name in ("first", "second", "score"):
            pairs = (
                (getattr(a, name).tobytes() for a in one),
                (getattr(b, name).tobytes() for b in other),
            )
            assert list(pairs[0]) == list(pairs[1])


def test_hash_seeds_and_cores_do_not_matter() -> None:
    program = (
        "import os, sys\n"
        "from test_join_limits import sentences\n"
        "from alpacare.filtering.near_duplicates import KeepFirst, KeepNone\n"
        "from alpacare.filtering.tokens import latin\n"
        "os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[1])])\n"
        "texts = sentences(1000, 100, 10)\n"
        "print(KeepFirst(0.5, latin).add(texts), KeepNone(0.5, latin).add(texts))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program, cores],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parent)},
            check=True,
            capture_output=True,
        ).stdout
        for seed, cores in (("0", "1"), ("1", "2"), ("77", "2"))
    }
    assert len(outputs) == 1
    assert len(outputs.pop()) > 1000
