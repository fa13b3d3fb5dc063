"""Near-duplicate texts by ROUGE-L: which of many go, and pairs across two lists.

Two texts are near when their ROUGE-L F exceeds the threshold, decided exactly as rouge_score does.
Texts may be a generator: token numbers are all that is held of them. `advance` is told how many
more texts are done.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import TYPE_CHECKING, Any

from alpacare.filtering.tokens import Numbering, Tokenizer

if TYPE_CHECKING:
    from alpacare.filtering.join_rows import Ints
    from alpacare.filtering.near_duplicate_join import Found, Mask

Advance = Callable[[int], object]
# From rows (tokens and lengths, as `Join` takes them), the threshold, the first row to compare with
# all before it and the rows that may be a pair's first, to the pairs, as `Join.found` yields them.
Engine = Callable[["Ints", "Ints", float, int, "Mask"], Iterator["Found"]]

_BATCH = 1 << 17  # texts held at a time by `pairs_across`


def quiet(texts: int) -> None:
    """Tell nobody."""


def local(
    tokens: "Ints", lengths: "Ints", threshold: float, start: int, partners: "Mask"
) -> Iterator["Found"]:
    """Find the pairs with all cores of this machine."""
    from alpacare.filtering.near_duplicate_join import Join

    return Join(tokens, lengths, threshold).found(start, partners)


@dataclass(frozen=True, slots=True)
class Pair:
    """Text `second` comes after text `first` and scores above the threshold with it."""

    first: int
    second: int
    score: float


class KeepFirst:
    """Texts in the order of their arrival, of which each goes that is near one that stays.

    The rule of Self-Instruct and Alpaca. Texts may come in rounds of any sizes: which stay, and
    why the others go, is the same as if they had come at once.
    """

    def __init__(self, threshold: float, tokenizer: Tokenizer, pairs: Engine = local) -> None:
        self._rows = _Rows(tokenizer)
        self._threshold, self._pairs = threshold, pairs

    def add(self, texts: Iterable[str], advance: Advance = quiet) -> dict[int, Pair]:
        """Take more texts and give, for each that goes, its nearest kept text (then the earliest).

        Positions count all texts ever added.
        """
        rows, start = self._rows, self._rows.add(texts)
        gone: dict[int, Pair] = {}
        for found in self._pairs(rows.tokens, rows.lengths, self._threshold, start, rows.partners):
            columns = found.first.tolist(), found.second.tolist(), found.score.tolist()
            for row, other, score in zip(*columns, strict=True):
                if rows.partners[row]:  # else it went after the engine looked
                    rows.partners[other] = False
                    first, second = int(rows.positions[row]), int(rows.positions[other])
                    if second not in gone or score > gone[second].score:
                        gone[second] = Pair(first, second, score)
            advance(found.rows)
        return gone


class KeepNone:
    """Texts of which all go that are near any other: both of a pair (AlpaCare's published rule).

    Texts may come in rounds: a later text can make an earlier one go, and one that went can still
    make others go. Over all rounds the same texts go as if all had come at once.
    """

    def __init__(self, threshold: float, tokenizer: Tokenizer, pairs: Engine = local) -> None:
        self._rows = _Rows(tokenizer)
        self._threshold, self._pairs = threshold, pairs
        self._gone: set[int] = set()

    def add(self, texts: Iterable[str], advance: Advance = quiet) -> dict[int, Pair]:
        """Take more texts and give, for each text that goes now, its nearest (then the earliest).

        Nearest among the pairs that these texts bring. Positions count all texts ever added.
        """
        rows, start = self._rows, self._rows.add(texts)
        best = _Best(len(rows.lengths))
        for found in self._pairs(rows.tokens, rows.lengths, self._threshold, start, rows.partners):
            best.offer(found.second, found.first, found.score)
            best.offer(found.first, found.second, found.score)
            advance(found.rows)
        gone = best.pairs(rows.positions, self._gone)
        self._gone |= gone.keys()
        return gone


def pairs_across(
    firsts: Sequence[str],
    seconds: Iterable[str],
    threshold: float,
    tokenizer: Tokenizer,
    advance: Advance = quiet,
) -> Iterator[Pair]:
    """Yield every pair of one text of each list above the threshold, ordered by second, first.

    Positions count within each list. `firsts` are few; `seconds` may be many.
    """
    import numpy as np

    numbering, seconds = Numbering(tokenizer), iter(seconds)
    ours, done = numbering.number(firsts), 0
    while batch := list(islice(seconds, _BATCH)):
        theirs = numbering.number(batch)
        tokens, lengths = (np.concatenate(parts) for parts in zip(ours, theirs, strict=True))
        partners = np.arange(len(lengths)) < len(firsts)
        for found in local(tokens, lengths, threshold, len(firsts), partners):
            second = found.second + (done - len(firsts))
            yield from map(Pair, found.first.tolist(), second.tolist(), found.score.tolist())
            advance(found.rows)
        done += len(batch)


class _Rows:
    """The texts that matter to later ones, then the newest, as rows of token numbers.

    `partners` tells which of them may be a pair's first: those that no other equals before, since
    what is near a copy is near the original. Rows that are no partners when more texts come are
    forgotten.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        import numpy as np

        self._numbering = Numbering(tokenizer)
        self._seen = 0
        self.tokens, self.lengths = self._numbering.number([])
        self.positions = np.empty(0, dtype=np.int64)
        self.partners = np.empty(0, dtype=np.bool_)

    def add(self, texts: Iterable[str]) -> int:
        """Take more texts; give the first one's row."""
        import numpy as np

        tokens, lengths = self._numbering.number(texts)
        positions = np.arange(self._seen, self._seen + len(lengths))
        self._seen += len(lengths)
        start = int(np.count_nonzero(self.partners))
        kept = self.tokens[np.repeat(self.partners, self.lengths)]
        self.tokens = np.concatenate([kept, tokens])
        self.lengths = np.concatenate([self.lengths[self.partners], lengths])
        self.positions = np.concatenate([self.positions[self.partners], positions])
        self.partners = _distinct(self.tokens, self.lengths)
        return start


def _distinct(tokens: "Ints", lengths: "Ints") -> "Mask":
    """Tell which rows have tokens that no row before has; [rows]."""
    import numpy as np

    ends = (np.cumsum(lengths, dtype=np.int64) * tokens.itemsize).tolist()
    content = tokens.view(np.uint8).data
    digests = (
        blake2b(content[start:end], digest_size=16).digest()
        for start, end in zip([0, *ends], ends, strict=False)
    )
    names = np.fromiter(digests, dtype="S16", count=len(lengths))
    distinct = np.zeros(len(lengths), dtype=np.bool_)
    distinct[np.unique(names, return_index=True)[1]] = True
    return distinct


class _Best:
    """Each row's nearest other row so far."""

    def __init__(self, rows: int) -> None:
        import numpy as np

        self._scores = np.zeros(rows)
        self._others = np.zeros(rows, dtype=np.int32)

    def offer(self, rows: Any, others: Any, scores: Any) -> None:
        """Take pairs (arrays of one length); `others` must not come before those offered before."""
        import numpy as np

        order = np.lexsort((others, -scores, rows))
        best = order[np.flatnonzero(np.diff(rows[order], prepend=-1))]
        best = best[scores[best] > self._scores[rows[best]]]
        self._scores[rows[best]] = scores[best]
        self._others[rows[best]] = others[best]

    def pairs(self, positions: Any, but: set[int]) -> dict[int, Pair]:
        """Give the nearest by position, `but` some positions."""
        import numpy as np

        rows = np.flatnonzero(self._scores)
        texts, others = positions[rows].tolist(), positions[self._others[rows]].tolist()
        return {
            text: Pair(min(text, other), max(text, other), score)
            for text, other, score in zip(texts, others, self._scores[rows].tolist(), strict=True)
            if text not in but
        }
