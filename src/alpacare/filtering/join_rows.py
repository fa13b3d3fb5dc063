"""Rows for the near-duplicate join: token numbers, strings, fingerprints; and the pairs found."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]

_SURROGATES = range(0xD800, 0xE000)  # code points that are no characters
_CHARACTERS = 0x110000 - len(_SURROGATES)


@dataclass(frozen=True)
class JoinedPairs:
    """The pairs above the threshold that have one of the next `rows` rows as their second.

    `first` and `second` [pairs] are positions, first < second, ordered by second, then first;
    `score` [pairs] is ROUGE-L F.
    """

    rows: int
    first: Ints
    second: Ints
    score: NDArray[np.float64]

    def __iter__(self) -> Iterator[tuple[int, int, float]]:
        return zip(self.first.tolist(), self.second.tolist(), self.score.tolist(), strict=True)


def rarest_first(tokens: Ints) -> Ints:
    """Renumber the tokens from 0 without gaps, so that a rarer token has a lower number."""
    count = np.bincount(tokens)
    unused = len(count) - np.count_nonzero(count)  # by these rows; they get the numbers below 0
    number = np.empty(len(count), dtype=np.int32)
    number[np.argsort(count, kind="stable")] = np.arange(len(count), dtype=np.int32) - unused
    return number[tokens]


def encode_rows(tokens: Ints, lengths: Ints) -> NDArray[np.object_]:
    """Write each row as a string, one character a token; or with too many tokens as a tuple."""
    sequence: str | tuple[int, ...]
    if tokens.max(initial=0) < _CHARACTERS:
        codes = tokens + (tokens >= _SURROGATES.start) * np.int32(len(_SURROGATES))
        sequence = codes.astype("<u4").tobytes().decode("utf-32-le")
    else:
        sequence = tuple(tokens.tolist())
    rows = (sequence[start:end] for start, end in pairwise([0, *np.cumsum(lengths).tolist()]))
    return np.fromiter(rows, dtype=np.object_, count=len(lengths))


def fingerprints(tokens: Ints, lengths: Ints, threshold: float) -> tuple[Any, Any]:
    """Give fine and coarse fingerprints: uint64 [4 x words, rows] and [words, rows].

    The width follows the tokens that may lie outside the LCS, so that chance differences exceed
    them. A coarse word is the XOR of four fine ones.
    """
    words = min(16, 1 + int((1 - threshold) * lengths.sum() / max(1, len(lengths)) / 8))
    fine = np.zeros((4 * words, len(lengths)), dtype=np.uint64)
    filled = np.flatnonzero(lengths)
    starts = (np.cumsum(lengths) - lengths)[filled]
    bit = np.uint64(1) << (tokens % 64).astype(np.uint64)
    number = tokens // 64 % len(fine)
    for word in range(len(fine)) if len(filled) else ():
        bits = np.where(number == word, bit, np.uint64(0))
        fine[word, filled] = np.bitwise_xor.reduceat(bits, starts)
    return fine, np.bitwise_xor.reduce(fine.reshape(4, words, -1), axis=0)


def distinct(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sort keys and leave repeated ones out."""
    keys.sort()
    distinct: NDArray[np.int64] = keys[np.append(True, keys[1:] != keys[:-1])[: len(keys)]]
    return distinct


def cut(start: int, stop: int, step: int) -> list[tuple[int, int]]:
    """Cut start..stop into ranges of `step`, the first of them at the list's end."""
    return [(low, min(stop, low + step)) for low in range(start, stop, step)][::-1]


def clipped(slack: Ints) -> NDArray[np.uint16]:
    """Fit slack into 16 bits, two of them added: still more than any fingerprint's width."""
    return np.minimum(slack, 1 << 14).astype(np.uint16)
