"""ROUGE-L against the package that defines it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from alpacare.filtering import nearest
from alpacare.filtering.rouge import encode, f_measure, scores

ORACLE = RougeScorer(["rougeL"], use_stemmer=False)
tokens = st.sampled_from(["a", "b", "c", "d", "e", "1", "22", "É", "中", "-", "Ab"])
text = st.lists(tokens, max_size=24).map(" ".join)


def oracle(a: str, b: str) -> float:
    return float(ORACLE.score(a, b)["rougeL"].fmeasure)


@given(st.lists(text, max_size=6), st.lists(text, max_size=6))
def test_equals_rouge_score_to_the_last_bit(rows: list[str], columns: list[str]) -> None:
    encoded = encode([*rows, *columns])
    matrix = scores(encoded[: len(rows)], encoded[len(rows) :])
    assert matrix.shape == (len(rows), len(columns))
    assert matrix.tolist() == [[oracle(row, column) for column in columns] for row in rows]


def test_scores_exactly_at_a_threshold_round_as_rouge_scores() -> None:
    """2pr/(p+r) of LCS 7 over lengths 10 and 10 is 0.7; some such scores round above it."""
    cases = [(7, 10, 10), (7, 9, 11), (14, 17, 23), (21, 25, 35), (28, 33, 47)]
    decided = set()
    for common, m, n in cases:
        a = " ".join(["x"] * common + [f"a{i}" for i in range(m - common)])
        b = " ".join(["x"] * common + [f"b{i}" for i in range(n - common)])
        above = oracle(a, b) > 0.7
        assert (f_measure(*map(np.int32, (common, m, n))) > 0.7) == above
        decided.add(above)
    assert decided == {True, False}, "the cases must cover both ways of rounding"


@pytest.mark.parametrize(("common", "m", "n"), [(0, 0, 0), (0, 0, 5), (0, 5, 5)])
def test_nothing_in_common_scores_0(common: int, m: int, n: int) -> None:
    assert f_measure(*map(np.int32, (common, m, n))) == 0


def test_the_nearest_of_some_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row by row as all at once; and where words are not spaced, too."""
    rows, targets = ["a b c", "d e f g", "x"], ["d e x", "b c", "a b y z"]
    known = [max(oracle(row, target) for target in targets) for row in rows]
    assert nearest.nearest_scores(rows, targets).tolist() == known
    monkeypatch.setattr(nearest, "_AT_ONCE", 1)
    assert nearest.nearest_scores(rows, targets).tolist() == known
    near, far = nearest.nearest_scores(["皮肤有什么用", "肝脏需要休息"], ["皮肤有什么病"])
    assert near > 0.7 > 0.1 > far
