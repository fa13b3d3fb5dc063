"""The nearest neighbour of each instruction: its highest ROUGE-L F with another one, exactly.

Every pair is scored once, at some 20 ns each. The near-duplicate join is slower here, since its
filters need a threshold well above most scores. Above some 28,000 instructions a sample of them is
compared, still with all (every seventh of 52,000: enough for a histogram and its quantiles).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq
from rapidfuzz.process import cdist

from alpacare.core.progress import RowsDone, ignore_progress
from alpacare.filtering.join_rows import encode_rows, rarest_first
from alpacare.filtering.rouge import f_measure
from alpacare.filtering.tokens import TokenNumbers

Scores = NDArray[np.float64]

_PAIRS = 400_000_000  # scored at most: 7 to 10 CPU seconds
_CELLS = 1 << 24  # LCS lengths held at a time


def nearest_among(texts: Sequence[str], advance: RowsDone = ignore_progress) -> Scores:
    """Give each text's highest ROUGE-L F with another; [texts]. `advance` counts texts done."""
    rows = _Rows(texts)
    best = np.zeros(len(texts))
    height = max(1, min(512, _CELLS // max(1, len(texts))))
    for start in range(0, len(texts), height):
        stop = min(start + height, len(texts))
        common = rows.common(range(start, stop), range(start, len(texts)))
        np.fill_diagonal(common, 0)  # a text is not its own neighbour
        here, later = slice(start, stop), slice(start, None)
        best[here] = np.maximum(best[here], rows.best(common, here, later))
        best[later] = np.maximum(best[later], rows.best(common.T, later, here))
        advance(stop - start)
    return best[rows.places]


def nearest_of(
    texts: Sequence[str],
    others: Sequence[str],
    own: Sequence[int] = (),
    advance: RowsDone = ignore_progress,
) -> Scores:
    """Give each text's highest ROUGE-L F with one of `others`; [texts].

    Args:
        texts: the texts to find a neighbour for.
        others: the possible neighbours, at least one.
        own: each text's own position in `others`, which does not count; or nothing.
        advance: called with how many more texts are done.
    """
    rows = _Rows([*texts, *others])
    places, other_places = rows.places[: len(texts)], rows.places[len(texts) :]
    columns = np.sort(other_places)
    scores = np.zeros(len(texts))
    height = max(1, min(512, _CELLS // len(others)))
    for start in range(0, len(texts), height):
        some = places[start : start + height]
        common = rows.common(some.tolist(), columns.tolist())
        for row, itself in enumerate(own[start : start + height]):
            common[row, np.searchsorted(columns, other_places[itself])] = 0
        scores[start : start + len(some)] = rows.best(common, some, columns)
        advance(len(some))
    return scores


def sample(ids: Sequence[str]) -> list[int]:
    """Give the positions of the rows to find a neighbour for: all, or as many as time allows.

    These have the smallest ids: ids are hashes, so this is a random sample, always the same.
    """
    if len(ids) ** 2 / 2 <= _PAIRS:
        return list(range(len(ids)))
    by_id = sorted(range(len(ids)), key=lambda place: (ids[place], place))
    return sorted(by_id[: max(1, _PAIRS // len(ids))])


class _Rows:
    """Texts as strings of one character a token, in order of their lengths."""

    def __init__(self, texts: Sequence[str]) -> None:
        tokens, lengths = TokenNumbers().encode(texts)
        order = np.argsort(lengths, kind="stable")
        self.places = np.argsort(order)  # of each text among them
        rarity = rarest_first(tokens)
        # rapidfuzz is twice as fast if frequent tokens have small code points
        encoded = encode_rows(rarity.max(initial=0) - rarity, lengths)
        self._texts: list[Any] = encoded[order].tolist()
        self._lengths = lengths[order]
        self._type = np.uint8 if self._lengths.max(initial=0) < 256 else np.int32

    def common(self, rows: Sequence[int], columns: Sequence[int]) -> Any:
        """Give the LCS lengths; [rows, columns]."""
        return cdist(
            [self._texts[row] for row in rows],
            [self._texts[column] for column in columns],
            scorer=LCSseq.similarity,
            dtype=self._type,
            workers=-1,
        )

    def best(self, common: Any, rows: Any, columns: Any) -> Scores:
        """Give each row's highest F, of its LCS lengths with columns in order of length.

        Among columns of one length the longest LCS has the highest F: few quotients are computed.
        """
        lengths = self._lengths[columns]
        starts = np.flatnonzero(np.diff(lengths, prepend=-1))
        longest = np.maximum.reduceat(common, starts, axis=1).astype(np.int64)
        scores = f_measure(longest, self._lengths[rows][:, None], lengths[starts][None, :])
        highest: Scores = scores.max(axis=1)
        return highest
