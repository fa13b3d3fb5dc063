"""Near-duplicate texts by ROUGE-L: which of many are dropped, and pairs across two lists.

Two texts are near-duplicates if their ROUGE-L F exceeds the threshold, decided exactly as
rouge_score does.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from typing import TYPE_CHECKING

from alpacare.core.progress import RowsDone, ignore_progress
from alpacare.filtering.tokens import Tokenizer, TokenNumbers

if TYPE_CHECKING:
    from alpacare.filtering.join_rows import Ints, JoinedPairs
    from alpacare.filtering.near_duplicate_join import Mask

# As `NearDuplicateJoin(tokens, lengths, threshold).pairs(start, partners)`
Engine = Callable[["Ints", "Ints", float, int, "Mask"], Iterator["JoinedPairs"]]


def local_pairs(
    tokens: "Ints", lengths: "Ints", threshold: float, start: int, partners: "Mask"
) -> Iterator["JoinedPairs"]:
    """Find the pairs with all cores of this machine."""
    from alpacare.filtering.near_duplicate_join import NearDuplicateJoin

    return NearDuplicateJoin(tokens, lengths, threshold).pairs(start, partners)


@dataclass(frozen=True, slots=True)
class NearDuplicatePair:
    """Text `second` comes after text `first` and scores above the threshold with it."""

    first: int
    second: int
    score: float


Drops = dict[int, NearDuplicatePair]  # by the position of the dropped text


class NearDuplicateRule(ABC):
    """Texts in rounds of any sizes; the same are dropped as if all had come at once.

    Held are the texts that matter to later ones, then the newest, as rows of token numbers.
    `_partners` marks the rows that may be a pair's first: those that equal no earlier row, since
    what is near a copy is near the original. Rows that are no partners are forgotten when more
    texts come.
    """

    def __init__(self, threshold: float, tokenizer: Tokenizer, pairs: Engine = local_pairs) -> None:
        import numpy as np

        self._threshold, self._pairs = threshold, pairs
        self._numbers = TokenNumbers(tokenizer)
        self._tokens, self._lengths = self._numbers.encode([])
        self._positions = np.empty(0, dtype=np.int64)
        self._partners = np.empty(0, dtype=np.bool_)
        self._seen = 0
        self._dropped: set[int] = set()

    def add(self, texts: Iterable[str], advance: RowsDone = ignore_progress) -> Drops:
        """Add texts and give, for each text dropped now, its nearest one (then the earliest).

        Nearest among the pairs that these texts add. Positions count all texts ever added.
        `advance` is called with how many more texts are done.
        """
        start = self._add_rows(texts)
        positions: list[int] = self._positions.tolist()
        rows = self._tokens, self._lengths
        nearest: Drops = {}
        for found in self._pairs(*rows, self._threshold, start, self._partners):
            for first, second, score in found:
                for row in self._drop(first, second):
                    text = positions[row]
                    if text not in nearest or score > nearest[text].score:
                        pair = NearDuplicatePair(positions[first], positions[second], score)
                        nearest[text] = pair
            advance(found.rows)
        dropped = {text: nearest[text] for text in sorted(nearest.keys() - self._dropped)}
        self._dropped |= dropped.keys()
        return dropped

    @abstractmethod
    def _drop(self, first: int, second: int) -> Iterable[int]:
        """Give the rows of a near-duplicate pair that are dropped for it."""

    def _add_rows(self, texts: Iterable[str]) -> int:
        """Add texts; give the first one's row."""
        import numpy as np

        tokens, lengths = self._numbers.encode(texts)
        positions = np.arange(self._seen, self._seen + len(lengths))
        self._seen += len(lengths)
        start = int(np.count_nonzero(self._partners))
        kept = self._tokens[np.repeat(self._partners, self._lengths)]
        self._tokens = np.concatenate([kept, tokens])
        self._lengths = np.concatenate([self._lengths[self._partners], lengths])
        self._positions = np.concatenate([self._positions[self._partners], positions])
        self._partners = _distinct(self._tokens, self._lengths)
        return start


class KeepFirst(NearDuplicateRule):
    """Drops each text that is a near-duplicate of an earlier one that is kept.

    The rule of Self-Instruct and Alpaca. The rounds do not change the matching pairs either.
    """

    def _drop(self, first: int, second: int) -> Iterable[int]:
        if not self._partners[first]:  # dropped after the engine read `_partners`
            return ()
        self._partners[second] = False
        return (second,)


class KeepNone(NearDuplicateRule):
    """Drops both texts of each near-duplicate pair (AlpaCare's published rule).

    So a later text can drop an earlier one, and a dropped one still drops others.
    """

    def _drop(self, first: int, second: int) -> Iterable[int]:
        return first, second


def pairs_across(
    firsts: Sequence[str], seconds: Iterable[str], threshold: float, tokenizer: Tokenizer
) -> Iterator[NearDuplicatePair]:
    """Yield every pair of one text of each list above the threshold, ordered by second, first.

    Positions count within each list.
    """
    import numpy as np

    numbers = TokenNumbers(tokenizer)
    parts = zip(numbers.encode(firsts), numbers.encode(seconds), strict=True)
    tokens, lengths = (np.concatenate(part) for part in parts)
    partners = np.arange(len(lengths)) < len(firsts)
    for found in local_pairs(tokens, lengths, threshold, len(firsts), partners):
        for first, second, score in found:
            yield NearDuplicatePair(first, second - len(firsts), score)


def _distinct(tokens: "Ints", lengths: "Ints") -> "Mask":
    """Mark the rows whose tokens equal no earlier row's; [rows]."""
    import numpy as np

    ends = (np.cumsum(lengths, dtype=np.int64) * tokens.itemsize).tolist()
    content = tokens.view(np.uint8).data
    digests = (
        blake2b(content[start:end], digest_size=16).digest() for start, end in pairwise([0, *ends])
    )
    names = np.fromiter(digests, dtype="S16", count=len(lengths))
    distinct = np.zeros(len(lengths), dtype=np.bool_)
    distinct[np.unique(names, return_index=True)[1]] = True
    return distinct
