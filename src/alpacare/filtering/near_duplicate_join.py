"""The near-duplicate join: all pairs of rows with ROUGE-L F above a threshold, few others scored.

Take two rows of m and n tokens whose longest common subsequence (LCS) has L of them, so that
F = 2L / (m + n). F > t leaves at most (1 - t)(m + n) tokens outside the LCS, here called the slack.
Hence three filters:

1. A shared rare token. L is at most n, so F > t needs L >= o = tm / (2 - t), and the same holds for
   n. Then the m - o + 1 rarest tokens of the one row and the n - o + 1 rarest of the other have one
   in common (prefix filter: Chaudhuri et al. 2006, Bayardo et al. 2007). Rows are listed under
   these tokens, and only rows of one list are compared.
2. Near fingerprints. Bit k of a fingerprint is the parity of the row's tokens whose number is k
   modulo its width. Two fingerprints differ in no more bits than tokens lie outside the LCS. Whole
   lists are compared with XOR and popcount in numpy (bitmap filter: Sandes et al. 2017).
3. Near lengths. They too differ by no more than that, which is min / max >= t / (2 - t).

The remaining pairs are scored: LCS by rapidfuzz, F in float64 in rouge_score's own order of
operations, because rounding decides the pairs exactly on the threshold. No filter loses a pair and
none depends on the order of the work, so the result is the same for any number of cores.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq
from rapidfuzz.process import cpdist

from alpacare.filtering.join_rows import Ints, encode_rows, fingerprints, rarest_first
from alpacare.filtering.rouge import f_measure

Keys = NDArray[np.int64]
Mask = NDArray[np.bool_]

_STEP = 1 << 14  # rows compared with all earlier ones at a time
_CANDIDATES = 1 << 23  # pairs to score held at a time, 8 bytes each
_TILE = 1 << 17  # fingerprint pairs in one numpy call: 1 MiB, about a core's cache
_COLUMNS = 1 << 13  # width of such a tile
_OVERHEAD = 1 << 15  # of a list's numpy calls, in fingerprint pairs compared meanwhile
_DENSE = 0.5  # share of all pairs from which one list of all rows is less work than many
_TINY = 1e-9  # above every float64 error here, below every difference that counts


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


class NearDuplicateJoin:
    """An index of rows of token numbers that finds the pairs above a threshold."""

    def __init__(self, tokens: Ints, lengths: Ints, threshold: float, workers: int = 0) -> None:
        """Index the rows.

        Args:
            tokens: the rows' token numbers, one row after the other; [sum of lengths].
            lengths: tokens in each row; [rows].
            threshold: what F must exceed; in [0, 1].
            workers: threads; 0 means one for each core that this process may use.
        """
        self._threshold = threshold
        self._workers = workers or cores()
        self._lengths = lengths
        tokens = rarest_first(tokens)
        self._sequences = encode_rows(tokens, lengths)
        self._fine, self._coarse = fingerprints(tokens, lengths, threshold)
        # A pair's slack is its first row's rounded down plus its second's rounded up: whole
        # numbers, whose sum is never less than the sum rounded down.
        slack = (1 - threshold) * lengths
        self._slack_down = np.floor(slack + _TINY).astype(np.int32)
        self._slack_up = np.ceil(slack - _TINY).astype(np.int32)
        self._keys, self._rows, self._lists = _build_lists(tokens, lengths, threshold)

    def pairs(self, start: int, partners: Mask) -> Iterator[JoinedPairs]:
        """Yield the pairs whose second row is `start` or later, in order, in bounded memory.

        Args:
            start: the first row to compare with all rows before it.
            partners: the rows that may be a pair's first; [rows]. It is read for each `JoinedPairs`
                again, so the caller may remove rows meanwhile.
        """
        ranges = _ranges(start, len(self._lengths), _STEP)  # of second rows; the last is next
        with ThreadPoolExecutor(self._workers) as pool:
            while ranges:
                low, high = ranges.pop()
                parts = self._candidates(pool, low, high, partners)
                if parts is None:
                    ranges += _ranges(low, high, max(1, (high - low) // 8))
                else:
                    yield self._scored(high - low, np.unique(np.concatenate(parts)))

    def _candidates(
        self, pool: ThreadPoolExecutor, low: int, high: int, partners: Mask
    ) -> list[Keys] | None:
        """Give keys (second x rows + first) of pairs that pass the filters; None if too many."""
        # Of each list, begin..end are the rows below `high`, and those from middle on are seconds.
        begin, middle, end = (np.searchsorted(self._keys, self._lists + i) for i in (0, low, high))
        lists = np.stack([begin, middle, end], axis=1)[end > middle]
        # Shares of about equal work, four for each worker so that none waits long for the last.
        costs = np.cumsum((lists[:, 2] - lists[:, 0]) * (lists[:, 2] - lists[:, 1]) + _OVERHEAD)
        shares = 4 * self._workers
        cuts = np.searchsorted(costs, np.linspace(0, costs[-1:].sum(), shares + 1)[1:-1])
        limit = _CANDIDATES // shares if high - low > 1 else None  # one row cannot be cut
        parts = list(
            pool.map(lambda share: self._compared(share, partners, limit), np.split(lists, cuts))
        )
        whole = [part for part in parts if part is not None]
        return whole if len(whole) == len(parts) else None

    def _compared(self, lists: Keys, partners: Mask, limit: int | None) -> Keys | None:
        """Compare each list's rows from middle on with all its rows; None if too many pass."""
        passed, total = [np.empty(0, dtype=np.int64)], 0
        for begin, middle, end in lists.tolist():
            firsts, seconds = self._rows[begin:end], self._rows[middle:end]
            firsts = firsts[partners[firsts]]
            for left in range(0, len(firsts), _COLUMNS):
                for keys in self._tiles(firsts[left : left + _COLUMNS], seconds):
                    passed.append(keys)
                    total += len(keys)
                    if limit is not None and total > limit:
                        return None
        return np.concatenate(passed)

    def _tiles(self, firsts: Ints, seconds: Ints) -> Iterator[Keys]:
        """Yield the keys of the pairs, out of all of firsts x seconds, that pass the filters."""
        columns = self._coarse.take(firsts, axis=1)
        slack = _clipped(self._slack_down.take(firsts))
        height = max(1, _TILE // len(firsts))
        for top in range(0, len(seconds), height):
            rows = seconds[top : top + height]
            bits = self._coarse.take(rows, axis=1)[:, :, None]
            differ = np.bitwise_count(columns[0] ^ bits[0])
            for one, other in zip(columns[1:], bits[1:], strict=True):
                differ = np.add(differ, np.bitwise_count(one ^ other), dtype=np.uint16)
            hits = np.flatnonzero(differ <= slack + _clipped(self._slack_up.take(rows))[:, None])
            row, column = np.divmod(hits, len(firsts))
            yield self._passing(firsts.take(column), rows.take(row))

    def _passing(self, first: Ints, second: Ints) -> Keys:
        """Give the keys of the pairs that are in order, near in length and near in all bits."""
        slack = self._slack_down.take(first) + self._slack_up.take(second)
        near = np.abs(self._lengths.take(first) - self._lengths.take(second)) <= slack
        unlike = self._fine.take(first, axis=1) ^ self._fine.take(second, axis=1)
        near &= np.bitwise_count(unlike).sum(axis=0, dtype=np.uint16) <= slack
        near &= first < second
        keys: Keys = second[near].astype(np.int64) * len(self._lengths) + first[near]
        return keys

    def _scored(self, rows: int, keys: Keys) -> JoinedPairs:
        second, first = (part.astype(np.int32) for part in np.divmod(keys, len(self._lengths)))
        common = cpdist(
            self._sequences.take(first).tolist(),
            self._sequences.take(second).tolist(),
            scorer=LCSseq.similarity,
            dtype=np.int32,
            workers=self._workers,
        )
        score = f_measure(common, self._lengths[first], self._lengths[second])
        above = score > self._threshold
        return JoinedPairs(rows, first[above], second[above], score[above])


def cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux: taskset and containers may allow fewer
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _ranges(start: int, stop: int, step: int) -> list[tuple[int, int]]:
    """Cut start..stop into ranges of `step`, the first of them at the list's end."""
    return [(low, min(stop, low + step)) for low in range(start, stop, step)][::-1]


def _clipped(slack: Ints) -> NDArray[np.uint16]:
    """Fit slack into 16 bits, two of them added: still more than any fingerprint's width."""
    return np.minimum(slack, 1 << 14).astype(np.uint16)


def _build_lists(tokens: Ints, lengths: Ints, threshold: float) -> tuple[Keys, Ints, Keys]:
    """List rows under their rare tokens; the rarest share lists, to be worth the numpy calls.

    Returns:
        keys: list x rows + row, sorted; [entries].
        rows: the entries' rows; [entries].
        lists: the key of row 0 in each list; [lists].
    """
    size = max(1, len(lengths))
    rows, tokens = _rare_tokens(tokens, lengths, threshold)
    count = np.bincount(tokens)
    together = int(np.sqrt(_OVERHEAD * size / min(size, _STEP)))
    group = (np.cumsum(count) - count) // together
    keys = np.unique(group[tokens] * size + rows)
    lists, entries = np.unique(keys // size, return_counts=True)
    if (entries**2).sum() > _DENSE * size**2:
        keys, lists = np.arange(len(lengths)), np.zeros(1, dtype=np.int64)
    return keys, (keys % size).astype(np.int32), lists * size


def _rare_tokens(tokens: Ints, lengths: Ints, threshold: float) -> tuple[Ints, Ints]:
    """Give the rows and tokens of filter 1: of each row of m, the m - o + 1 rarest."""
    needed = np.maximum(1, np.ceil(threshold * lengths / (2 - threshold) - _TINY))
    size = int(tokens.max(initial=0)) + 1
    keys = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths) * size + tokens
    keys.sort()
    starts = np.cumsum(lengths) - lengths
    place = np.arange(len(keys)) - np.repeat(starts, lengths)
    keys = keys[place < np.repeat(lengths - needed + 1, lengths)]
    return (keys // size).astype(np.int32), (keys % size).astype(np.int32)
