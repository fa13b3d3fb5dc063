"""ROUGE-L exactly as the rouge_score package computes it, at C++ speed.

F = 2pr / (p + r) with p = LCS/m and r = LCS/n over the two texts' tokens (Lin, 2004, eq. 5 with
beta = 1). The longest common subsequence comes from rapidfuzz; the quotients are computed in
float64 in rouge_score's own order, because rounding decides pairs that lie exactly on a threshold.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

_CHUNK = 1024  # rows of the score matrix held at once: 1024 x 52,000 float64 is 0.4 GB


def tokenize(text: str) -> list[str]:
    """Split a text as rouge_score does without stemming: lower case, [a-z0-9]+."""
    from rouge_score.tokenize import tokenize as rouge_tokenize

    return rouge_tokenize(text, None)  # type: ignore[no-any-return]


def encode(texts: Iterable[str]) -> list[str]:
    """Write each distinct token as one character, so that token lists become strings."""
    numbers = count(0xE000)  # past the surrogates, which are no characters of their own
    characters: dict[str, str] = {}
    encoded = []
    for text in texts:
        tokens = tokenize(text)
        for token in tokens:
            if token not in characters:
                characters[token] = chr(next(numbers))
        encoded.append("".join(characters[token] for token in tokens))
    return encoded


def scores(rows: list[str], columns: list[str]) -> Any:
    """Give the float64 matrix [len(rows), len(columns)] of ROUGE-L F between encoded texts."""
    import numpy as np
    from rapidfuzz.distance import LCSseq
    from rapidfuzz.process import cdist

    common = cdist(rows, columns, scorer=LCSseq.similarity, dtype=np.int32, workers=-1)
    lengths_r = np.array([len(text) for text in rows], dtype=np.float64)[:, None]
    lengths_c = np.array([len(text) for text in columns], dtype=np.float64)[None, :]
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = common / lengths_r, common / lengths_c
        f = 2 * precision * recall / (precision + recall)
    return np.nan_to_num(f)  # nothing in common, or an empty text, scores 0


def rouge_l(a: str, b: str) -> float:
    """ROUGE-L F of two texts, in [0, 1]."""
    first, second = encode([a, b])
    return float(scores([first], [second])[0, 0])


@dataclass(frozen=True)
class Pair:
    """Row `second` comes after row `first` and scores above the threshold with it."""

    first: int
    second: int
    score: float


def pairs_above(texts: list[str], threshold: float) -> Iterator[Pair]:
    """Yield every pair of texts whose ROUGE-L F exceeds the threshold, ordered by second, first."""
    import numpy as np

    encoded = encode(texts)
    for start in range(0, len(encoded), _CHUNK):
        rows = encoded[start : start + _CHUNK]
        matrix = scores(rows, encoded[: start + len(rows)])
        for row, column in np.argwhere(matrix > threshold):
            if column < start + row:
                yield Pair(int(column), int(start + row), float(matrix[row, column]))
