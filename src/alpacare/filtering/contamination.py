"""Rows that are near a held-out test task: by ROUGE-L, or by a run of words that both have.

A model trained on a task it is tested on is tested on its memory. ROUGE-L finds the reworded
task; a shared n-gram finds the vignette inside a longer text, where ROUGE-L F is small. Runs of n
words are the usual measure of contamination (Brown et al. 2020, appendix C, with n = 13); small n
finds set phrases of examinations ("which of the following is the most likely diagnosis").

Test sets are small, so that every row is compared with every test task of a fitting length.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from alpacare.filtering.rouge import FIRST_CHARACTER, f_measure
from alpacare.filtering.tokens import Tokenizer

WORTH_A_LOOK = 0.5  # ROUGE-L F from which a pair is worth a person's look, whatever the threshold
_MARGIN = 1e-5  # far above the rounding errors of a screen in float32
_BLOCK = 512  # rows of about one length
_UNKNOWN = chr(FIRST_CHARACTER)  # every token that no test task has


@dataclass(frozen=True)
class Item:
    """A test task: the text that ROUGE-L compares, and the texts (instruction and input, apart)
    whose n-grams are looked at, so that none runs from one into the other."""

    compared: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Near:
    """The test task nearest to a row: its position, ROUGE-L F, and the shared n-gram ("": none).

    It offends if the score exceeds the threshold or an n-gram is shared.
    """

    item: int
    score: float
    shared: str
    offends: bool


class Gate:
    """Test tasks, to look up what rows have in common with them."""

    def __init__(
        self, items: Sequence[Item], threshold: float, words: int | None, tokenizer: Tokenizer
    ) -> None:
        """Read the test tasks.

        Args:
            items: the test tasks.
            threshold: in [0, 1]; a row offends if its ROUGE-L F with a task exceeds it.
            words: n >= 1; a row offends if it shares n words in a row with a task. None: no matter.
            tokenizer: what counts as a word (`alpacare.filtering.tokens`).
        """
        self._threshold = threshold
        self._cutoff = max(0.0, min(WORTH_A_LOOK, threshold) - _MARGIN)
        self._words = words
        self._tokenizer = tokenizer
        self._characters: dict[str, str] = {}
        for item in items:
            for text in (item.compared, *item.parts):
                for token in tokenizer(text):
                    self._characters.setdefault(
                        token, chr(FIRST_CHARACTER + 1 + len(self._characters))
                    )
        self._tokens = {character: token for token, character in self._characters.items()}
        self._items = [self._encode(item.compared) for item in items]
        self._by_length = sorted(range(len(items)), key=lambda item: len(self._items[item]))
        self._owners = self._index(items)

    def look(self, compared: Sequence[str], parts: Sequence[tuple[str, ...]]) -> list[Near | None]:
        """Give each row's nearest test task if it offends or scores at least `WORTH_A_LOOK`.

        An offender is nearer than one that does not offend; then the best score counts, then the
        earliest task. A row's result does not depend on the other rows.

        Args:
            compared: the rows' texts for ROUGE-L.
            parts: the rows' texts for n-grams, as in `Item`.
        """
        rows = [self._encode(text) for text in compared]
        found: list[dict[int, str]] = [self._sharing(texts) for texts in parts]
        for row, item in self._alike(rows):
            found[row].setdefault(item, "")
        return [self._nearest(row, shared) for row, shared in zip(rows, found, strict=True)]

    def _nearest(self, row: str, found: dict[int, str]) -> Near | None:
        """Choose among items, each with the n-gram that it shares with the row, or ""."""
        if not found:
            return None
        items = sorted(found)
        nears = [
            Near(item, score, found[item], found[item] != "" or score > self._threshold)
            for item, score in zip(items, self._scores(row, items), strict=True)
        ]
        best = max(nears, key=lambda near: (near.offends, near.score))  # the first of equals
        if not best.offends and best.score < WORTH_A_LOOK:
            return None
        return replace(best, shared=" ".join(self._tokens[token] for token in best.shared))

    def _scores(self, row: str, items: list[int]) -> list[float]:
        """Give the row's ROUGE-L F with each item in float64, exactly as rouge_score's."""
        import numpy as np
        from rapidfuzz.distance import LCSseq

        others = [self._items[item] for item in items]
        common = np.array([LCSseq.similarity(row, other) for other in others])
        lengths = np.array([len(other) for other in others])
        scores: list[float] = f_measure(common, len(row), lengths).tolist()
        return scores

    def _encode(self, text: str) -> str:
        """Write each token as one character, the same at every call."""
        characters = self._characters
        return "".join([characters.get(token, _UNKNOWN) for token in self._tokenizer(text)])

    def _sharing(self, parts: Iterable[str]) -> dict[int, str]:
        """Give the items that share an n-gram, each with the first one."""
        shared: dict[int, str] = {}
        for gram in self._known(parts):
            for item in self._owners.get(gram, ()):
                shared.setdefault(item, gram)
        return shared

    def _known(self, parts: Iterable[str]) -> Iterator[str]:
        """Yield the n-grams, encoded and in order, all of whose tokens some test task has."""
        if self._words is None:
            return
        for part in parts:
            for run in self._encode(part).split(_UNKNOWN):
                for start in range(len(run) - self._words + 1):
                    yield run[start : start + self._words]

    def _index(self, items: Sequence[Item]) -> dict[str, tuple[int, ...]]:
        """Map each n-gram to the items that have it, in order."""
        owners: dict[str, tuple[int, ...]] = {}
        for position, item in enumerate(items):
            alone = (position,)  # one object for all n-grams of the item's own
            for gram in set(self._known(item.parts)):
                owners[gram] = owners[gram] + alone if gram in owners else alone
        return owners

    def _alike(self, rows: list[str]) -> Iterator[tuple[int, int]]:
        """Yield (row, item) for each row's best scores, if they may matter; near ties included."""
        import numpy as np
        from rapidfuzz.distance import Indel
        from rapidfuzz.process import cdist

        for some, items in self._blocks(rows):
            # Normalized Indel similarity is F but for rounding; below the cutoff it is given as 0.
            screen = cdist(
                [rows[row] for row in some],
                [self._items[item] for item in items],
                scorer=Indel.normalized_similarity,
                score_cutoff=self._cutoff,
                dtype=np.float32,
                workers=-1,
            )
            close = screen >= screen.max(axis=1, keepdims=True) - _MARGIN
            for row, column in np.argwhere(close & (screen > 0)).tolist():
                yield some[row], items[column]

    def _blocks(self, rows: list[str]) -> Iterator[tuple[list[int], list[int]]]:
        """Yield rows of about one length, and the items whose lengths allow the cutoff.

        F = 2L / (m + n) with L <= min(m, n), so that F >= c needs min / max >= c / (2 - c).
        """
        ratio = self._cutoff / (2 - self._cutoff)
        by_length = sorted(range(len(rows)), key=lambda row: len(rows[row]))
        lengths = [len(self._items[item]) for item in self._by_length]
        least = [length * ratio for length in lengths]
        for start in range(0, len(rows), _BLOCK):
            some = by_length[start : start + _BLOCK]
            low = bisect_left(lengths, len(rows[some[0]]) * ratio)
            high = bisect_right(least, len(rows[some[-1]]))
            if low < high:
                yield some, self._by_length[low:high]
