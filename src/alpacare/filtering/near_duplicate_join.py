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

Where a few words make up half of all tokens, no list is short and many fingerprints are near. Then
all rows of like lengths are compared, and a tile in which too many pairs pass is left to rapidfuzz.

The remaining pairs are scored: LCS by rapidfuzz, F in float64 in rouge_score's own order of
operations, because rounding decides the pairs exactly on the threshold. No filter loses a pair and
none depends on the order of the work, so the result is the same for any number of cores.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq
from rapidfuzz.process import cdist, cpdist

from alpacare.core.processors import cores
from alpacare.filtering.join_rows import (
    Ints,
    JoinedPairs,
    clipped,
    cut,
    distinct,
    encode_rows,
    fingerprints,
    rarest_first,
)
from alpacare.filtering.rare_token_lists import OVERHEAD, STEP, TINY, Keys, build_lists
from alpacare.filtering.rouge import f_measure

Mask = NDArray[np.bool_]

_STEP = STEP
_NONE = np.empty(0, dtype=np.int64)
_CANDIDATES = 1 << 23  # pairs to score held at a time, 8 bytes each
_TILE = 1 << 17  # fingerprint pairs in one numpy call: 1 MiB, about a core's cache
_COLUMNS = 1 << 13  # width of such a tile
_DENSE_STEP = 1 << 12  # rows compared with all earlier ones at a time, if all are compared
_HEIGHT, _WIDTH = 1 << 8, 1 << 9  # seconds and firsts of like lengths in a tile of all pairs
_MANY = 0.1  # share of a tile's pairs that pass from which a sample of them is looked at
_SAMPLE = 1 << 10  # pairs
_SCORING, _ALL = 4.0, 0.6  # work of scoring a chosen pair, and one of a whole tile (fine: 1)


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
        self._slack_down = np.floor(slack + TINY).astype(np.int32)
        self._slack_up = np.ceil(slack - TINY).astype(np.int32)
        self._keys, self._rows, self._lists = build_lists(tokens, lengths, threshold)
        self._dense = len(self._lists) == 0
        self._by_length = np.argsort(lengths, kind="stable").astype(np.int32)

    def pairs(self, start: int, partners: Mask) -> Iterator[JoinedPairs]:
        """Yield the pairs whose second row is `start` or later, in order, in bounded memory.

        Args:
            start: the first row to compare with all rows before it.
            partners: the rows that may be a pair's first; [rows]. It is read for each `JoinedPairs`
                again, so the caller may remove rows meanwhile.
        """
        step, compare = (
            (_DENSE_STEP, self._compared_all) if self._dense else (_STEP, self._candidates)
        )
        ranges = cut(start, len(self._lengths), step)  # of second rows; the last is next
        with ThreadPoolExecutor(self._workers) as pool:
            while ranges:
                low, high = ranges.pop()
                parts = compare(pool, low, high, partners)
                if parts is None:
                    ranges += cut(low, high, max(1, (high - low) // 8))
                else:
                    yield self._scored(high - low, distinct(np.concatenate(parts)))

    def _candidates(
        self, pool: ThreadPoolExecutor, low: int, high: int, partners: Mask
    ) -> list[Keys] | None:
        """Give keys (second x rows + first) of pairs that pass the filters; None if too many."""
        # Of each list, begin..end are the rows below `high`, and those from middle on are seconds.
        begin, middle, end = (np.searchsorted(self._keys, self._lists + i) for i in (0, low, high))
        lists = np.stack([begin, middle, end], axis=1)[end > middle]
        # Shares of about equal work, four for each worker so that none waits long for the last.
        costs = np.cumsum((lists[:, 2] - lists[:, 0]) * (lists[:, 2] - lists[:, 1]) + OVERHEAD)
        shares = 4 * self._workers
        cuts = np.searchsorted(costs, np.linspace(0, costs[-1:].sum(), shares + 1)[1:-1])
        limit = _CANDIDATES // shares if high - low > 1 else None  # one row cannot be cut
        parts = list(
            pool.map(lambda share: self._compared(share, partners, limit), np.split(lists, cuts))
        )
        whole = [part for part in parts if part is not None]
        return whole if len(whole) == len(parts) else None

    def _compared_all(
        self, pool: ThreadPoolExecutor, low: int, high: int, partners: Mask
    ) -> list[Keys] | None:
        """As `_candidates`, by comparing all rows of like lengths."""
        limit = _CANDIDATES if high - low > 1 else None
        tiles, passed, total = list(self._all_tiles(low, high, partners)), [_NONE], 0
        for first in range(0, len(tiles), 4 * self._workers):  # stops soon if too many pass
            some = tiles[first : first + 4 * self._workers]
            parts = pool.map(lambda tile: np.concatenate([_NONE, *self._tiles(*tile)]), some)
            passed += parts
            total = sum(map(len, passed))
            if limit is not None and total > limit:
                return None
        return passed

    def _all_tiles(self, low: int, high: int, partners: Mask) -> Iterator[tuple[Ints, Ints]]:
        """Cut the pairs whose lengths are near into tiles of firsts x seconds."""
        rows = self._by_length[self._by_length < high]
        seconds, firsts = rows[rows >= low], rows[partners[rows]]
        lengths = self._lengths.take(firsts)
        ratio = self._threshold / (2 - self._threshold)
        for top in range(0, len(seconds), _HEIGHT):
            some = seconds[top : top + _HEIGHT]
            shortest, longest = self._lengths[some[0]], self._lengths[some[-1]]
            begin = np.searchsorted(lengths, shortest * ratio - TINY, "left")
            end = np.searchsorted(lengths * ratio, longest + TINY, "right")
            for left in range(begin, end, _WIDTH):
                yield firsts[left : min(end, left + _WIDTH)], some

    def _compared(self, lists: Keys, partners: Mask, limit: int | None) -> Keys | None:
        """Compare each list's rows from middle on with all its rows; None if too many pass."""
        passed, total = [_NONE], 0
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
        slack = clipped(self._slack_down.take(firsts))
        height = max(1, _TILE // len(firsts))
        for top in range(0, len(seconds), height):
            rows = seconds[top : top + height]
            bits = self._coarse.take(rows, axis=1)[:, :, None]
            differ = np.bitwise_count(columns[0] ^ bits[0])
            for one, other in zip(columns[1:], bits[1:], strict=True):
                differ = np.add(differ, np.bitwise_count(one ^ other), dtype=np.uint16)
            hits = np.flatnonzero(differ <= slack + clipped(self._slack_up.take(rows))[:, None])
            if self._crowded(firsts, rows, hits):
                yield self._near(firsts, rows)
                continue
            row, column = np.divmod(hits, len(firsts))
            yield self._passing(firsts.take(column), rows.take(row))

    def _crowded(self, firsts: Ints, seconds: Ints, hits: Keys) -> bool:
        """Say whether so many pairs pass that scoring all of the tile is less work."""
        size = len(firsts) * len(seconds)
        if len(hits) < _MANY * size:
            return False
        some = hits[:: 1 + len(hits) // _SAMPLE]
        row, column = np.divmod(some, len(firsts))
        passing = len(self._passing(firsts.take(column), seconds.take(row))) / len(some)
        return len(hits) * (1 + _SCORING * passing) > _ALL * size

    def _near(self, firsts: Ints, seconds: Ints) -> Keys:
        """Give the keys of the pairs in order, out of all, that are above the threshold."""
        m, n = self._lengths.take(seconds), self._lengths.take(firsts)
        common = cdist(
            self._sequences.take(seconds).tolist(),
            self._sequences.take(firsts).tolist(),
            scorer=LCSseq.similarity,
            score_cutoff=max(1, int(np.ceil(self._threshold * (m.min() + n.min()) / 2 - TINY))),
            dtype=np.int32,
            workers=1,
        )
        row, column = np.nonzero(common)
        near = f_measure(common[row, column], m[row], n[column]) > self._threshold
        second, first = seconds.take(row[near]), firsts.take(column[near])
        return self._keys_of(first, second)

    def _keys_of(self, first: Ints, second: Ints) -> Keys:
        """Give the keys of the pairs that are in order."""
        in_order = first < second
        keys: Keys = second[in_order].astype(np.int64) * len(self._lengths) + first[in_order]
        return keys

    def _passing(self, first: Ints, second: Ints) -> Keys:
        """Give the keys of the pairs that are in order, near in length and near in all bits."""
        slack = self._slack_down.take(first) + self._slack_up.take(second)
        near = np.abs(self._lengths.take(first) - self._lengths.take(second)) <= slack
        unlike = self._fine.take(first, axis=1) ^ self._fine.take(second, axis=1)
        near &= np.bitwise_count(unlike).sum(axis=0, dtype=np.uint16) <= slack
        return self._keys_of(first[near], second[near])

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
