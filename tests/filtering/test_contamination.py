"""The contamination index against its definition by rouge_score and n-grams."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from alpacare.filtering import contamination
from alpacare.filtering.contamination import ContaminationIndex, ContaminationMatch, TaskTexts
from alpacare.filtering.tokens import Tokenizer, latin, unicode

thresholds = st.sampled_from([0, 0.4, 0.5, 0.6, 0.7, 0.8, 1]) | st.floats(0, 1)
words = st.lists(st.sampled_from([*"abcde", "É", "фтор", "血", "?"]), max_size=9)
Row = tuple[str, str]


@pytest.fixture(scope="module", params=[1, 3, 512], autouse=True)
def blocks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Compare few rows at a time as if they were many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contamination, "_BLOCK", request.param)
        yield


@st.composite
def rows(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """Draw rows and test tasks, of which many are copies of one another with words changed."""
    texts: list[list[str]] = [[]]
    for text in draw(st.lists(words, max_size=12)):
        if draw(st.booleans()):
            text = list(draw(st.sampled_from(texts)))
            place = draw(st.integers(0, len(text)))
            text[place : place + draw(st.integers(0, 2))] = draw(st.lists(st.just("x"), max_size=2))
        texts.append(text)
    one = st.sampled_from([" ".join(text) for text in texts])
    pairs = st.lists(st.tuples(one, one), max_size=6)
    return draw(pairs), draw(pairs)


class Oracle:
    """rouge_score with one of our tokenizers, and n-grams by their definition."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenize = tokenizer
        self.scorer = RougeScorer(["rougeL"], tokenizer=self)

    def score(self, one: str, other: str) -> float:
        return float(self.scorer.score(one, other)["rougeL"].fmeasure)

    def ngrams(self, parts: Sequence[str], n: int | None) -> list[str]:
        texts = [self.tokenize(part) for part in parts]
        starts = [(text, i) for text in texts for i in range(len(text) - n + 1)] if n else []
        return [" ".join(text[i : i + (n or 0)]) for text, i in starts]

    def nearest(
        self, row: Row, tasks: Sequence[TaskTexts], threshold: float, n: int | None
    ) -> ContaminationMatch | None:
        found = []
        for position, task in enumerate(tasks):
            score = self.score(" ".join(row), task.text)
            theirs = self.ngrams(task.parts, n)
            shared = next((ngram for ngram in self.ngrams(row, n) if ngram in theirs), "")
            contaminated = score > threshold or bool(shared)
            if contaminated or score >= 0.5:
                found.append(ContaminationMatch(position, score, shared, contaminated))
        return max(
            found, key=lambda match: (match.contaminated, match.score, -match.task), default=None
        )


def indexed(instruction: str, input: str = "") -> TaskTexts:
    return TaskTexts(f"{instruction} {input}", (instruction, input))


def find(index: ContaminationIndex, rows: Sequence[Row]) -> list[ContaminationMatch | None]:
    return index.matches([TaskTexts(" ".join(row), row) for row in rows])


@pytest.mark.parametrize("tokenizer", [latin, unicode])
@settings(max_examples=150)
@given(rows(), thresholds, st.none() | st.integers(1, 4))
def test_the_index_equals_its_definition(
    tokenizer: Tokenizer, texts: tuple[list[Row], list[Row]], threshold: float, n: int | None
) -> None:
    ours, theirs = texts
    tasks = [indexed(*pair) for pair in theirs]
    index, oracle = ContaminationIndex(tasks, threshold, n, tokenizer), Oracle(tokenizer)
    expected = [oracle.nearest(row, tasks, threshold, n) for row in ours]
    assert find(index, ours) == expected
    assert [find(index, [row])[0] for row in ours] == expected


def test_pairs_exactly_on_the_threshold_round_as_in_rouge_score() -> None:
    oracle, decisions = Oracle(latin), set()
    exact = [(m, n) for m in range(1, 41) for n in range(1, 41) if 7 * (m + n) % 20 == 0]
    for m, n in exact:
        common = 7 * (m + n) // 20
        if common > min(m, n):
            continue
        row = " ".join(["same"] * common + ["row"] * (m - common))
        task = " ".join(["same"] * common + ["task"] * (n - common))
        index = ContaminationIndex([indexed(task)], 0.7, None, latin)
        match = index.matches([TaskTexts(row, (row,))])[0]
        assert match is not None
        assert match.score == oracle.score(row, task)
        assert match.contaminated == (match.score > 0.7)
        decisions.add(match.contaminated)
    assert decisions == {True, False}


VIGNETTE = "a man of 58 coughs up blood and has lost nine kilograms in two months"
LONG = " ".join(f"word{i}" for i in range(600))


def test_a_vignette_inside_a_long_text_is_contamination() -> None:
    row = (f"Read this. {LONG.replace('word', 'other')} {VIGNETTE}", "")
    match = find(
        ContaminationIndex([indexed(LONG), indexed("Name the cause.", VIGNETTE)], 0.7, 13, latin),
        [row],
    )[0]
    assert match is not None
    assert (match.task, match.contaminated) == (1, True)
    assert match.shared == "a man of 58 coughs up blood and has lost nine kilograms in"
    assert match.score < 0.1


def shared(index: ContaminationIndex, rows: Sequence[Row]) -> list[str]:
    return [match.shared if match else "" for match in find(index, rows)]


def test_no_n_gram_runs_from_instruction_into_input() -> None:
    index = ContaminationIndex(
        [indexed("sort the list", "by colour"), indexed("of drugs by")], 1, 3, latin
    )
    rows = [("the list by", ""), ("of drugs", "by colour"), ("", "of drugs by colour")]
    assert shared(index, rows) == ["", "", "of drugs by"]


def test_an_unknown_word_breaks_a_run() -> None:
    index = ContaminationIndex([indexed("sort drugs by class")], 1, 4, latin)
    rows = [("sort drugs mainly by class", ""), ("now sort drugs by class", "")]
    assert shared(index, rows) == ["", "sort drugs by class"]


def test_a_contaminating_task_beats_a_nearer_one_that_is_not() -> None:
    tasks = [indexed("a b x c d x e f"), indexed("p q r")]
    row = ("a b c d e f p q r", "")
    for n, nearest in ((None, 0), (3, 1)):
        match = find(ContaminationIndex(tasks, 0.9, n, latin), [row])[0]
        assert match is not None
        assert (match.task, match.contaminated) == (nearest, n == 3)


def test_of_equal_tasks_the_first_is_named() -> None:
    index = ContaminationIndex(
        [indexed("x y z"), indexed(VIGNETTE), indexed(VIGNETTE)], 0.7, 5, latin
    )
    match = find(index, [(VIGNETTE, "")])[0]
    assert match == ContaminationMatch(1, 1.0, "a man of 58 coughs", contaminated=True)


def test_nothing_to_compare() -> None:
    assert find(ContaminationIndex([], 0, 1, latin), [("a", ""), ("", "")]) == [None, None]
    assert find(ContaminationIndex([indexed("a")], 0, 1, latin), []) == []
    assert find(ContaminationIndex([indexed("")], 0, 1, latin), [("", ""), ("???", "")]) == [
        None,
        None,
    ]
