"""The nearest row: rouge_score's own number for each."""

import random

import pytest
from rouge_score.rouge_scorer import _score_lcs
from rouge_score.tokenize import tokenize

from alpacare.statistics import nearest
from alpacare.statistics.nearest import nearest_among, nearest_of, sample

DRAW = random.Random(0)
WORDS = "list name the a of signs risks in heart kidney"
TEXTS = [" ".join(DRAW.choices(WORDS.split(), k=length)) for length in [*range(1, 25), *[9] * 30]]


def expected(texts: list[str], among: list[str], own: bool) -> list[float]:
    rows, columns = ([tokenize(text, None) for text in side] for side in (texts, among))
    return [
        max(
            _score_lcs(row, column).fmeasure
            for place, column in enumerate(columns)
            if not (own and place == position)
        )
        for position, row in enumerate(rows)
    ]


def test_among_themselves() -> None:
    assert nearest_among(TEXTS).tolist() == expected(TEXTS, TEXTS, own=True)


def test_in_blocks_of_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "_CELLS", 7 * len(TEXTS))
    assert nearest_among(TEXTS).tolist() == expected(TEXTS, TEXTS, own=True)
    assert nearest_of(TEXTS, TEXTS[:9]).tolist() == expected(TEXTS, TEXTS[:9], own=False)


def test_of_seeds() -> None:
    assert nearest_of(TEXTS, TEXTS[5:9]).tolist() == expected(TEXTS, TEXTS[5:9], own=False)


def test_some_among_all_but_themselves() -> None:
    some = [3, 11, 50]
    found = nearest_of([TEXTS[place] for place in some], TEXTS, some).tolist()
    whole = expected(TEXTS, TEXTS, own=True)
    assert found == [whole[place] for place in some]


@pytest.mark.parametrize(
    ("texts", "scores"),
    [
        (["alone"], [0.0]),
        (["", "", "a b"], [0.0, 0.0, 0.0]),
        (["a b", "A, b!"], [1.0, 1.0]),
        (["w " * 300, "w " * 300, "x"], [1.0, 1.0, 0.0]),  # lengths past one byte
    ],
)
def test_odd_rows(texts: list[str], scores: list[float]) -> None:
    assert nearest_among(texts).tolist() == scores


def test_more_tokens_than_characters_below_the_surrogates() -> None:
    # were one of them written as a half of a pair, it could not be written at all
    long = " ".join(f"t{n}" for n in range(57_000))
    found = nearest_of([f"t{n} t{n + 1}" for n in range(0, 57_000, 1000)], [long])
    assert found.tolist() == pytest.approx([2 * 2 / 57_002] * 57)


def test_many_rows_are_drawn_by_their_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = ["c", "a", "d", "b"]
    assert sample(ids) == [0, 1, 2, 3]
    monkeypatch.setattr(nearest, "_PAIRS", 7)  # all would be 8
    assert sample(ids) == [1]
    assert sample(["d", "c", "b", "a"]) == [3]
