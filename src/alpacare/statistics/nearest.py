"""Each instruction's nearest other one: the highest ROUGE-L F with any, exactly.

Every pair is scored, each once: 52,000 instructions are 1.4 billion pairs. The near-duplicate join
would be no faster here, since its filters live on a threshold and a nearest one has none.
Past some 60,000 instructions only a sample of them looks for its nearest, still among all.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq
from rapidfuzz.process import cdist

from alpacare.filtering.rouge import f_measure
from alpacare.filtering.tokens import Numbering

Advance = Callable[[int], object]
Ints = NDArray[np.int32]
Scores = NDArray[np.float64]

_PAIRS = 2_000_000_000  # scored at most: a minute or two on two cores
_CELLS = 1 << 24  # LCS lengths held at a time
_SURROGATES = range(0xD800, 0xE000)  # code points that are no characters


def _quiet(texts: int) -> None:
    """Tell nobody."""


def nearest_among(texts: Sequence[str], advance: Advance = _quiet) -> Scores:
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
    scores = np.empty(len(texts))
    scores[rows.order] = best
    return scores


def nearest_of(
    texts: Sequence[str], among: Sequence[str], but: Sequence[int] = (), advance: Advance = _quiet
) -> Scores:
    """Give each text's highest ROUGE-L F with one of `among`; [texts].

    Args:
        texts: what to look from.
        among: what to look at, at least one.
        but: for each text its own position in `among`, which does not count; or nothing.
        advance: is told how many more texts are done.
    """
    rows = _Rows([*texts, *among])
    place = np.empty(len(rows.order), dtype=np.int64)
    place[rows.order] = np.arange(len(rows.order))
    columns = np.sort(place[len(texts) :])
    scores = np.zeros(len(texts))
    height = max(1, min(512, _CELLS // len(among)))
    for start in range(0, len(texts), height):
        some = place[start : start + height][: len(texts) - start]
        common = rows.common(some.tolist(), columns.tolist())
        for row, own in enumerate(but[start : start + height]):
            common[row, np.searchsorted(columns, place[len(texts) + own])] = 0
        scores[start : start + len(some)] = rows.best(common, some, columns)
        advance(len(some))
    return scores


def sample(ids: Sequence[str]) -> list[int]:
    """Give the positions that look for their nearest: all, or as many as there is time for.

    Those with the smallest ids: ids are hashes, so that is a draw by chance, and always the same.
    """
    if len(ids) ** 2 / 2 <= _PAIRS:
        return list(range(len(ids)))
    drawn = sorted(range(len(ids)), key=lambda place: (ids[place], place))
    return sorted(drawn[: max(1, _PAIRS // len(ids))])


class _Rows:
    """Texts as strings of one character a token, in order of their lengths."""

    def __init__(self, texts: Sequence[str]) -> None:
        tokens, lengths = Numbering().number(texts)
        self.order: Any = np.argsort(lengths, kind="stable")
        written = _written(tokens, lengths)
        self._texts = [written[place] for place in self.order.tolist()]
        self._lengths = lengths[self.order]
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


def _written(tokens: Ints, lengths: Ints) -> list[str]:
    """Write each text as a string; frequent tokens get small code points, which rapidfuzz is
    twice as fast with."""
    count = np.bincount(tokens)
    number = np.empty(len(count), dtype=np.int64)
    number[np.argsort(-count, kind="stable")] = np.arange(len(count))
    code = number[tokens]
    code += np.where(code >= _SURROGATES.start, len(_SURROGATES), 0)
    text = code.astype("<u4").tobytes().decode("utf-32-le")
    ends = np.cumsum(lengths).tolist()
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]
