"""ROUGE-L against the package that defines it."""

from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from alpacare.text.rouge import Pair, pairs_above, rouge_l

ORACLE = RougeScorer(["rougeL"], use_stemmer=False)
tokens = st.sampled_from(["a", "b", "c", "d", "e", "1", "22", "É", "中", "-", "Ab"])
text = st.lists(tokens, max_size=24).map(" ".join)


def oracle(a: str, b: str) -> float:
    return float(ORACLE.score(a, b)["rougeL"].fmeasure)


@given(text, text)
def test_equals_rouge_score_to_the_last_bit(a: str, b: str) -> None:
    assert rouge_l(a, b) == oracle(a, b)


@given(st.lists(text, max_size=12), st.sampled_from([0.5, 0.6, 0.7, 0.8]))
def test_pairs_equal_the_naive_definition(texts: list[str], threshold: float) -> None:
    naive = [
        Pair(i, j, oracle(texts[i], texts[j]))
        for j in range(len(texts))
        for i in range(j)
        if oracle(texts[i], texts[j]) > threshold
    ]
    assert list(pairs_above(texts, threshold)) == naive


def test_pairs_exactly_at_the_threshold_follow_rouge_score() -> None:
    """2pr/(p+r) of LCS 7 over lengths 10 and 10 is 0.7; some such pairs round above it."""
    decided = set()
    for common, m, n in [(7, 10, 10), (7, 9, 11), (14, 17, 23), (21, 25, 35), (28, 33, 47)]:
        a = " ".join(["x"] * common + [f"a{i}" for i in range(m - common)])
        b = " ".join(["x"] * common + [f"b{i}" for i in range(n - common)])
        above = oracle(a, b) > 0.7
        assert bool(list(pairs_above([a, b], 0.7))) == above
        decided.add(above)
    assert decided == {True, False}, "the cases must cover both ways of rounding"


def test_rows_beyond_one_chunk_are_compared() -> None:
    texts = [f"word{i} second{i} third{i}" for i in range(2500)]
    texts[2400] = texts[3]
    assert [(p.first, p.second) for p in pairs_above(texts, 0.9)] == [(3, 2400)]
