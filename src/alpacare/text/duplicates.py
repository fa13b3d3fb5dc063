"""Near-duplicate texts by ROUGE-L: all pairs, pairs across two lists, and which texts go.

Two texts are near when their ROUGE-L F exceeds the threshold, decided exactly as rouge_score does.
Every function takes a tokenizer (see `alpacare.text.tokens`), and `advance`, which is told how
many more texts are done.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alpacare.text.tokens import Numbering, Tokenizer, latin

if TYPE_CHECKING:
    from alpacare.text.join import Found, Join

Advance = Callable[[int], object]


def _quiet(texts: int) -> None: ...


@dataclass(frozen=True)
class Pair:
    """Text `second` comes after text `first` and scores above the threshold with it."""

    first: int
    second: int
    score: float


def pairs_above(
    texts: Sequence[str],
    threshold: float,
    tokenizer: Tokenizer = latin,
    advance: Advance = _quiet,
) -> Iterator[Pair]:
    """Yield every pair of texts above the threshold, ordered by second, then first."""
    from alpacare.text.join import Join

    join = Join(*Numbering(tokenizer).number(texts), threshold)
    for found in join.found():
        yield from _pairs(found)
        advance(found.rows)


def pairs_across(
    firsts: Sequence[str],
    seconds: Sequence[str],
    threshold: float,
    tokenizer: Tokenizer = latin,
    advance: Advance = _quiet,
) -> Iterator[Pair]:
    """Yield every pair of one text of each list above the threshold, ordered by second, first.

    Positions count within each list.
    """
    import numpy as np

    from alpacare.text.join import Join

    join = Join(*Numbering(tokenizer).number([*firsts, *seconds]), threshold)
    partners = np.arange(len(firsts) + len(seconds)) < len(firsts)
    for found in join.found(len(firsts), partners=partners):
        for pair in _pairs(found):
            yield Pair(pair.first, pair.second - len(firsts), pair.score)
        advance(found.rows)


def nearest(
    texts: Sequence[str],
    threshold: float,
    tokenizer: Tokenizer = latin,
    advance: Advance = _quiet,
) -> dict[int, Pair]:
    """Give each text's nearest (best score, then earliest), for the texts that have one.

    These are the texts that go when both of a pair go (AlpaCare's published rule).
    """
    from alpacare.text.join import Join

    best = _Best(len(texts))
    join = Join(*Numbering(tokenizer).number(texts), threshold)
    # A repeat's nearest is its first copy; no other text needs a later copy.
    for found in join.found(partners=join.distinct()):
        best.offer(found.second, found.first, found.score)
        best.offer(found.first, found.second, found.score)
        advance(found.rows)
    return best.pairs()


class Sieve:
    """Texts in the order of their arrival, of which each goes that is near one that stays.

    The rule of Self-Instruct and Alpaca. Texts may come in rounds of any sizes: which stay, and
    why the others go, is the same as if they had come at once.
    """

    def __init__(self, threshold: float, tokenizer: Tokenizer = latin) -> None:
        self._threshold = threshold
        self._numbering = Numbering(tokenizer)
        self._kept = self._numbering.number([])
        self._positions: list[int] = []  # of the kept texts
        self._seen = 0

    def add(self, texts: Sequence[str], advance: Advance = _quiet) -> dict[int, Pair]:
        """Take more texts and give, for each that goes, its nearest kept text (then the earliest).

        Positions count all texts ever added.
        """
        import numpy as np

        from alpacare.text.join import Join

        old = len(self._positions)
        self._positions += range(self._seen, self._seen + len(texts))
        self._seen += len(texts)
        more = self._numbering.number(texts)
        tokens, lengths = (np.concatenate(parts) for parts in zip(self._kept, more, strict=True))
        gone = self._sift(Join(tokens, lengths, self._threshold), old, advance)
        stays = np.array([position not in gone for position in self._positions], dtype=np.bool_)
        self._kept = tokens[np.repeat(stays, lengths)], lengths[stays]
        self._positions = [position for position in self._positions if position not in gone]
        return gone

    def _sift(self, join: "Join", old: int, advance: Advance) -> dict[int, Pair]:
        gone: dict[int, Pair] = {}
        partners = join.distinct()
        for found in join.found(old, partners=partners):
            columns = found.first.tolist(), found.second.tolist(), found.score.tolist()
            for one, other, score in zip(*columns, strict=True):
                first, second = self._positions[one], self._positions[other]
                if first in gone:
                    continue
                partners[other] = False
                if second not in gone or score > gone[second].score:
                    gone[second] = Pair(first, second, score)
            advance(found.rows)
        return gone


class _Best:
    """Each text's nearest other text so far."""

    def __init__(self, texts: int) -> None:
        import numpy as np

        self._scores = np.zeros(texts)
        self._others = np.zeros(texts, dtype=np.int32)

    def offer(self, texts: Any, others: Any, scores: Any) -> None:
        """Take pairs (arrays of one length); `others` must not come before those offered before."""
        import numpy as np

        order = np.lexsort((others, -scores, texts))
        best = order[np.flatnonzero(np.diff(texts[order], prepend=-1))]
        best = best[scores[best] > self._scores[texts[best]]]
        self._scores[texts[best]] = scores[best]
        self._others[texts[best]] = others[best]

    def pairs(self) -> dict[int, Pair]:
        scores, others = self._scores.tolist(), self._others.tolist()
        return {
            text: Pair(min(text, other), max(text, other), score)
            for text, (other, score) in enumerate(zip(others, scores, strict=True))
            if score
        }


def _pairs(found: "Found") -> Iterator[Pair]:
    columns = found.first.tolist(), found.second.tolist(), found.score.tolist()
    return map(Pair, *columns)
