"""The filter against its definition, in rounds of any sizes."""

from collections.abc import Sequence
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from alpacare.filtering import filter as filter_module
from alpacare.filtering.filter import Filter, FilteredSettings, Line
from alpacare.filtering.heuristics import Heuristics

ORACLE = RougeScorer(["rougeL"], use_stemmer=False)
WORDS = 3  # in a row
words = st.lists(st.sampled_from("abcdefg"), max_size=7).map(" ".join)
inputs = st.sampled_from(["", "h i j k", "k j i h", "h i j and the"])


def lines(kind: str, size: int) -> st.SearchStrategy[list[Line]]:
    rows = st.lists(st.tuples(words, inputs), max_size=size)
    return rows.map(
        lambda drawn: [
            Line(id=f"{kind}{n}", instruction=instruction, input=input)
            for n, (instruction, input) in enumerate(drawn)
        ]
    )


chosen = st.builds(
    FilteredSettings,
    rouge_l=st.sampled_from([0.5, 0.7, 0.8]),
    keep=st.sampled_from(["first", "none"]),
    compare=st.sampled_from(["instruction", "task"]),
    against_seeds=st.booleans(),
    heuristics=st.builds(Heuristics, unfinished_input=st.booleans(), same_as_seed=st.booleans()),
    contamination=st.sampled_from(["drop", "report"]),
    contamination_rouge_l=st.sampled_from([0.3, 0.6, 0.9]),
    contamination_words=st.sampled_from([None, WORDS]),
)


def f(one: str, other: str) -> float:
    return float(ORACLE.score(one, other)["rougeL"].fmeasure)


def grams(line: Line) -> set[tuple[str, ...]]:
    parts = (line.instruction.split(), line.input.split())
    return {tuple(p[i : i + WORDS]) for p in parts for i in range(len(p) - WORDS + 1)}


def text_of(options: FilteredSettings, line: Line) -> str:
    task = f"{line.instruction}\n{line.input}"
    return task if options.compare == "task" else line.instruction


def reasons(
    options: FilteredSettings, rows: Sequence[Line], seeds: Sequence[Line], tests: Sequence[Line]
) -> list[str]:
    """The reason for each row, "" for one that stays, by the words of the documentation."""
    text = partial(text_of, options)

    def shares(row: Line, test: Line) -> bool:
        return options.contamination_words is not None and bool(grams(row) & grams(test))

    def alone(row: Line) -> str:
        if options.heuristics.unfinished_input and row.input.endswith("the"):
            return "unfinished_input"
        known = [" ".join(seed.instruction.split()) for seed in seeds]
        if options.heuristics.same_as_seed and " ".join(row.instruction.split()) in known:
            return "same_as_seed"
        near = [f(text(row), text(test)) > options.contamination_rouge_l for test in tests]
        found = any(near) or any(shares(row, test) for test in tests)
        if found and options.contamination == "drop":
            return "contamination"
        close = any(f(text(row), text(seed)) > options.rouge_l for seed in seeds)
        return "rouge_l_seed" if close and options.against_seeds else ""

    given_up = [alone(row) for row in rows]
    left = [place for place, reason in enumerate(given_up) if not reason]
    stay: list[int] = []
    for place in left:
        others = stay if options.keep == "first" else [other for other in left if other != place]
        if any(f(text(rows[other]), text(rows[place])) > options.rouge_l for other in others):
            given_up[place] = "rouge_l"
        else:
            stay.append(place)
    return given_up


@settings(max_examples=150)
@given(st.data(), chosen, lines("r", 14), lines("s", 3), lines("t", 3), st.integers(1, 5))
def test_every_row_goes_for_the_reason_that_the_documents_name(
    data: st.DataObject,
    options: FilteredSettings,
    rows: list[Line],
    seeds: list[Line],
    tests: list[Line],
    chunk: int,
) -> None:
    sieve = Filter(options, seeds, tests)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(filter_module, "_CHUNK", chunk)
        start = 0
        while start < len(rows):
            size = data.draw(st.integers(1, 6))
            sieve.add(rows[start : start + size])
            start += size
    expected = reasons(options, rows, seeds, tests)
    gone = [sieve.gone[n].reason if n in sieve.gone else "" for n in range(len(rows))]
    assert gone == expected
    assert sieve.kept == expected.count("")
    assert [row.id for row in sieve.staying(rows)] == [
        row.id for row, reason in zip(rows, expected, strict=True) if not reason
    ]
    for position, verdict in sieve.gone.items():
        if verdict.reason.startswith("rouge_l"):
            witness = next(line for line in [*rows, *seeds] if line.id == verdict.witness)
            pair = [witness, rows[position]]
            assert verdict.score == f(*(text_of(options, line) for line in pair))


def test_the_best_seed_is_the_witness() -> None:
    seeds = [Line(id=f"s{n}", instruction=text) for n, text in enumerate(["a b c d e", "a b c d"])]
    sieve = Filter(FilteredSettings(rouge_l=0.7, keep="first"), seeds)
    sieve.add([Line(id="r", instruction="a b c d")])
    assert (sieve.gone[0].witness, sieve.gone[0].score) == ("s1", 1.0)


def test_unicode_reads_every_script() -> None:
    rows = [
        Line(id=f"{n}", instruction="请解释高血压的原因" + end) for n, end in enumerate(["", "。"])
    ]
    for tokenizer, left, unseen in (("latin", 2, 2), ("unicode", 1, 0)):
        sieve = Filter(FilteredSettings(rouge_l=0.7, keep="first", tokenizer=tokenizer), rows[:0])
        sieve.add(rows)
        assert (sieve.kept, sieve.unseen) == (left, unseen)
        gate = Filter(FilteredSettings(rouge_l=0.7, keep="first", tokenizer=tokenizer), rows[:1])
        gate.add(rows[1:])
        assert gate.kept == left - 1
