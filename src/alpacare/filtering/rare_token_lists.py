"""Rows listed under their rare tokens: two near rows share a list (filter 1 of the join)."""

import numpy as np
from numpy.typing import NDArray

from alpacare.filtering.join_rows import Ints

Keys = NDArray[np.int64]

STEP = 1 << 14  # rows compared with all earlier ones at a time
OVERHEAD = 1 << 15  # of a list's numpy calls, in fingerprint pairs compared meanwhile
TINY = 1e-9  # above every float64 error here, below every difference that counts
_DENSE = 0.5  # share of all pairs from which comparing all is less work than comparing lists


def build_lists(tokens: Ints, lengths: Ints, threshold: float) -> tuple[Keys, Ints, Keys]:
    """List rows under their rare tokens; the rarest share lists, to be worth the numpy calls.

    Returns:
        keys: list x rows + row, sorted; [entries].
        rows: the entries' rows; [entries].
        lists: the key of row 0 in each list; [lists]. None if all rows should be compared.
    """
    size = max(1, len(lengths))
    rows, tokens = _rare_tokens(tokens, lengths, threshold)
    count = np.bincount(tokens)
    together = int(np.sqrt(OVERHEAD * size / min(size, STEP)))
    group = (np.cumsum(count) - count) // together
    keys = np.unique(group[tokens] * size + rows)
    lists, entries = np.unique(keys // size, return_counts=True)
    if (entries**2).sum() > _DENSE * size**2:
        keys = lists = np.empty(0, dtype=np.int64)
    return keys, (keys % size).astype(np.int32), lists * size


def _rare_tokens(tokens: Ints, lengths: Ints, threshold: float) -> tuple[Ints, Ints]:
    """Give the rows and tokens of filter 1: of each row of m, the m - o + 1 rarest."""
    needed = np.maximum(1, np.ceil(threshold * lengths / (2 - threshold) - TINY))
    size = int(tokens.max(initial=0)) + 1
    keys = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths) * size + tokens
    keys.sort()
    starts = np.cumsum(lengths) - lengths
    place = np.arange(len(keys)) - np.repeat(starts, lengths)
    keys = keys[place < np.repeat(lengths - needed + 1, lengths)]
    return (keys // size).astype(np.int32), (keys % size).astype(np.int32)
