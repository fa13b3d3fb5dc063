"""The gate against its definition by rouge_score and plain n-grams."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from alpacare.filtering import contamination
from alpacare.filtering.contamination import Gate, Item, Near
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

    def grams(self, parts: Sequence[str], n: int | None) -> list[str]:
        texts = [self.tokenize(part) for part in parts]
        starts = [(text, i) for text in texts for i in range(len(text) - n + 1)] if n else []
        return [" ".join(text[i : i + (n or 0)]) for text, i in starts]

    def nearest(
        self, row: Row, items: Sequence[Item], threshold: float, n: int | None
    ) -> Near | None:
        nears = []
        for position, item in enumerate(items):
            score = self.score(" ".join(row), item.compared)
            theirs = self.grams(item.parts, n)
            shared = next((gram for gram in self.grams(row, n) if gram in theirs), "")
            offends = score > threshold or bool(shared)
            if offends or score >= 0.5:
                nears.append(Near(position, score, shared, offends))
        return max(nears, key=lambda near: (near.offends, near.score, -near.item), default=None)


def item(instruction: str, input: str = "") -> Item:
    return Item(f"{instruction} {input}", (instruction, input))


def look(gate: Gate, rows: Sequence[Row]) -> list[Near | None]:
    return gate.look([" ".join(row) for row in rows], rows)


@pytest.mark.parametrize("tokenizer", [latin, unicode])
@settings(max_examples=150)
@given(rows(), thresholds, st.none() | st.integers(1, 4))
def test_the_gate_is_its_definition(
    tokenizer: Tokenizer, texts: tuple[list[Row], list[Row]], threshold: float, n: int | None
) -> None:
    ours, theirs = texts
    items = [item(*pair) for pair in theirs]
    gate, oracle = Gate(items, threshold, n, tokenizer), Oracle(tokenizer)
    expected = [oracle.nearest(row, items, threshold, n) for row in ours]
    assert look(gate, ours) == expected
    assert [look(gate, [row])[0] for row in ours] == expected


def test_pairs_exactly_on_the_threshold_round_as_in_rouge_score() -> None:
    oracle, decisions = Oracle(latin), set()
    exact = [(m, n) for m in range(1, 41) for n in range(1, 41) if 7 * (m + n) % 20 == 0]
    for m, n in exact:
        common = 7 * (m + n) // 20
        if common > min(m, n):
            continue
        row = " ".join(["same"] * common + ["row"] * (m - common))
        task = " ".join(["same"] * common + ["task"] * (n - common))
        near = Gate([item(task)], 0.7, None, latin).look([row], [(row,)])[0]
        assert near is not None
        assert near.score == oracle.score(row, task)
        assert near.offends == (near.score > 0.7)
        decisions.add(near.offends)
    assert decisions == {True, False}


VIGNETTE = "a man of 58 coughs up blood and has lost nine kilograms in two months"
LONG = " ".join(f"word{i}" for i in range(600))


def test_a_vignette_inside_a_long_text_offends() -> None:
    row = (f"Read this. {LONG.replace('word', 'other')} {VIGNETTE}", "")
    near = look(Gate([item(LONG), item("Name the cause.", VIGNETTE)], 0.7, 13, latin), [row])[0]
    assert near is not None
    assert (near.item, near.offends) == (1, True)
    assert near.shared == "a man of 58 coughs up blood and has lost nine kilograms in"
    assert near.score < 0.1


def shared(gate: Gate, rows: Sequence[Row]) -> list[str]:
    return [near.shared if near else "" for near in look(gate, rows)]


def test_no_n_gram_runs_from_instruction_into_input() -> None:
    gate = Gate([item("sort the list", "by colour"), item("of drugs by")], 1, 3, latin)
    rows = [("the list by", ""), ("of drugs", "by colour"), ("", "of drugs by colour")]
    assert shared(gate, rows) == ["", "", "of drugs by"]


def test_an_unknown_word_breaks_a_run() -> None:
    gate = Gate([item("sort drugs by class")], 1, 4, latin)
    rows = [("sort drugs mainly by class", ""), ("now sort drugs by class", "")]
    assert shared(gate, rows) == ["", "sort drugs by class"]


def test_an_offender_beats_a_nearer_task_that_does_not_offend() -> None:
    tasks = [item("a b x c d x e f"), item("p q r")]
    row = ("a b c d e f p q r", "")
    for n, nearest in ((None, 0), (3, 1)):
        near = look(Gate(tasks, 0.9, n, latin), [row])[0]
        assert near is not None
        assert (near.item, near.offends) == (nearest, n == 3)


def test_of_equal_tasks_the_first_is_named() -> None:
    gate = Gate([item("x y z"), item(VIGNETTE), item(VIGNETTE)], 0.7, 5, latin)
    near = look(gate, [(VIGNETTE, "")])[0]
    assert near == Near(1, 1.0, "a man of 58 coughs", offends=True)


def test_nothing_to_compare() -> None:
    assert look(Gate([], 0, 1, latin), [("a", ""), ("", "")]) == [None, None]
    assert look(Gate([item("a")], 0, 1, latin), []) == []
    assert look(Gate([item("")], 0, 1, latin), [("", ""), ("???", "")]) == [None, None]
