"""The rows of the near-duplicate join, each by itself: numbers, a string, fingerprints."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from alpacare.filtering.rouge import FIRST_CHARACTER

Ints = NDArray[np.int32]

_CHARACTERS = 0x110000 - FIRST_CHARACTER


def rarest_first(tokens: Ints) -> Ints:
    """Number the tokens anew, from 0 without gaps, so that a rarer token has a lower number."""
    count = np.bincount(tokens)
    unused = len(count) - np.count_nonzero(count)  # by these rows; they get the numbers below 0
    number = np.empty(len(count), dtype=np.int32)
    number[np.argsort(count, kind="stable")] = np.arange(len(count), dtype=np.int32) - unused
    return number[tokens]


def write(tokens: Ints, lengths: Ints) -> NDArray[np.object_]:
    """Write each row as a string, one character a token; or with too many tokens as a tuple."""
    ends = np.cumsum(lengths).tolist()
    spans = zip([0, *ends], ends, strict=False)
    rows: Any
    if tokens.max(initial=0) < _CHARACTERS:
        text = (tokens + FIRST_CHARACTER).astype("<u4").tobytes().decode("utf-32-le")
        rows = (text[start:end] for start, end in spans)
    else:
        rows = (tuple(tokens[start:end].tolist()) for start, end in spans)
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
