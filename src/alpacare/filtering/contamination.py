"""Contamination: rows that match a held-out test task by ROUGE-L, or by a shared n-gram of words.

A model trained on its test tasks is tested on its memory. ROUGE-L finds a reworded task; a shared
n-gram finds a vignette inside a longer text, where ROUGE-L F is small. N-grams are the usual
measure of contamination (Brown et al. 2020, appendix C, with n = 13); a small n finds set phrases
of examinations ("which of the following is the most likely diagnosis").
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from alpacare.filtering.rouge import scores
from alpacare.filtering.tokens import Tokenizer

REPORTED_FROM = 0.5  # ROUGE-L F from which a match is reported, whatever the threshold
_MARGIN = 1e-5  # far above the rounding errors of scores in float32
_BLOCK = 512  # rows of similar length
_FIRST = 0xE000  # past the surrogates, which are no characters of their own
_UNKNOWN = chr(_FIRST)  # stands for every token that no test task has


@dataclass(frozen=True)
class TaskTexts:
    """What is compared of a row or a test task: its `text` by ROUGE-L, its `parts` by n-grams.

    Instruction and input are separate parts, so that no n-gram runs from one into the other. Both
    together, and the later questions of a conversation, are `more` texts of a row: the one with the
    best ROUGE-L counts. `same`, a question without its options, counts where it is the same.
    """

    text: str
    parts: tuple[str, ...]
    more: tuple[str, ...] = ()
    same: str = ""


@dataclass(frozen=True)
class ContaminationMatch:
    """The test task nearest to a row: its position, ROUGE-L F, and the shared n-gram ("": none).

    The row is contaminated if the score exceeds the threshold or an n-gram is shared.
    """

    task: int
    score: float
    shared: str
    contaminated: bool


class ContaminationIndex:
    """An index of test tasks that finds the nearest one of each row."""

    def __init__(
        self,
        tasks: Sequence[TaskTexts],
        threshold: float,
        words: int | None,
        tokenizer: Tokenizer,
        reported_from: float = REPORTED_FROM,
    ) -> None:
        """Index the test tasks.

        Args:
            tasks: the test tasks.
            threshold: in [0, 1]; a row whose ROUGE-L F with a task exceeds it is contaminated.
            words: n >= 1; a row that shares n consecutive words with a task is contaminated.
                None: n-grams do not count.
            tokenizer: splits texts into words (`alpacare.filtering.tokens`).
            reported_from: ROUGE-L F from which other matches are given too; 1 is fastest.
        """
        self._threshold = threshold
        self._reported_from = reported_from
        self._cutoff = max(0.0, min(reported_from, threshold) - _MARGIN)
        self._words = words
        self._tokenizer = tokenizer
        texts = [text for task in tasks for text in (task.text, *task.parts, task.same)]
        tokens = dict.fromkeys(token for text in texts for token in tokenizer(text))
        self._tokens = {chr(_FIRST + n): token for n, token in enumerate(tokens, start=1)}
        self._characters = {token: character for character, token in self._tokens.items()}
        self._tasks = [self._encode(task.text) for task in tasks]
        self._tasks_by_ngram: dict[str, list[int]] = {}
        for position, task in enumerate(tasks):
            for ngram in dict.fromkeys(self._ngrams(task)):
                self._tasks_by_ngram.setdefault(ngram, []).append(position)

    def matches(self, rows: Sequence[TaskTexts]) -> list[ContaminationMatch | None]:
        """Give each row's nearest test task if it is a match or scores at least `reported_from`.

        A task that contaminates the row is nearer than one that does not; then the best score
        counts, then the earliest task. A row's result does not depend on the other rows.
        """
        encoded = [[self._encode(text) for text in (row.text, *row.more)] for row in rows]
        found = [self._tasks_sharing_ngrams(row) for row in rows]
        owners = [row for row, texts in enumerate(encoded) for _ in texts]
        for place, task in self._similar_pairs([text for texts in encoded for text in texts]):
            found[owners[place]].setdefault(task, "")
        return list(map(self._nearest, encoded, found))

    def _nearest(self, texts: list[str], found: dict[int, str]) -> ContaminationMatch | None:
        """Choose among tasks, each with the n-gram that it shares with a row, or ""."""
        if not found:
            return None
        rouge = scores(texts, [self._tasks[task] for task in sorted(found)]).max(axis=0).tolist()
        matches = [
            ContaminationMatch(task, score, shared, shared != "" or score > self._threshold)
            for (task, shared), score in zip(sorted(found.items()), rouge, strict=True)
        ]
        best = max(matches, key=lambda match: (match.contaminated, match.score))  # first of equals
        if not best.contaminated and best.score < self._reported_from:
            return None
        return replace(best, shared=" ".join(self._tokens[token] for token in best.shared))

    def _encode(self, text: str) -> str:
        """Write each token as one character, the same at every call."""
        return "".join(self._characters.get(word, _UNKNOWN) for word in self._tokenizer(text))

    def _tasks_sharing_ngrams(self, row: TaskTexts) -> dict[int, str]:
        """Give the tasks that share an n-gram or are the same, each with the first shared words."""
        shared: dict[int, str] = {}
        before: list[int] = []
        for ngram in self._ngrams(row):
            tasks = self._tasks_by_ngram.get(ngram, [])
            if tasks != before:  # n-grams that follow one another often have the same tasks
                shared = dict.fromkeys(tasks, ngram) | shared
                before = tasks
        return shared

    def _ngrams(self, texts: TaskTexts) -> Iterator[str]:
        """Yield `same` and the n-grams, encoded and in order, whose tokens occur in test tasks."""
        same = self._encode(texts.same)
        if same:
            yield same
        if self._words is None:
            return
        for part in filter(None, texts.parts):
            encoded = same if part == texts.same else self._encode(part)
            for run in encoded.split(_UNKNOWN):
                for start in range(len(run) - self._words + 1):
                    yield run[start : start + self._words]

    def _similar_pairs(self, rows: list[str]) -> Iterator[tuple[int, int]]:
        """Yield (row, task) for each row's best scores from the cutoff on, near ties included.

        Test sets are small: every row is compared with all tasks whose lengths allow the cutoff.
        F = 2L / (m + n) with L <= min(m, n), so that F >= c needs min / max >= c / (2 - c).
        """
        import numpy as np
        from rapidfuzz.distance import Indel
        from rapidfuzz.process import cdist

        ratio = self._cutoff / (2 - self._cutoff)
        lengths = np.array([len(task) for task in self._tasks])
        by_length = sorted(range(len(rows)), key=lambda row: len(rows[row]))
        for start in range(0, len(rows), _BLOCK):
            block = [rows[row] for row in by_length[start : start + _BLOCK]]
            near = (lengths >= len(block[0]) * ratio) & (lengths * ratio <= len(block[-1]))
            tasks = np.flatnonzero(near).tolist()
            # Normalized Indel similarity is F but for rounding; below the cutoff it is given as 0.
            similarity = cdist(
                block,
                [self._tasks[task] for task in tasks],
                scorer=Indel.normalized_similarity,
                score_cutoff=self._cutoff,
                dtype=np.float32,
                workers=-1,
            )
            best = similarity >= similarity.max(axis=1, keepdims=True, initial=0) - _MARGIN
            for row, column in np.argwhere(best & (similarity > 0)).tolist():
                yield by_length[start + row], tasks[column]
