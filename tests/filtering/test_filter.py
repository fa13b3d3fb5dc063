"""The filter against its definition, in rounds of any sizes."""

from collections.abc import Sequence
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from alpacare.filtering import filter as filter_module
from alpacare.filtering import shared_text
from alpacare.filtering.filter import Filter
from alpacare.filtering.settings import FilteredSettings, HeuristicSettings
from alpacare.filtering.task_texts import TaskRow

ORACLE = RougeScorer(["rougeL"], use_stemmer=False)
WORDS = 3  # in a row
words = st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=7).map(" ".join)
inputs = st.sampled_from(["", "h i j k", "k j i h", "see above"])


def lines(kind: str, size: int) -> st.SearchStrategy[list[TaskRow]]:
    rows = st.lists(st.tuples(words, inputs), max_size=size)
    return rows.map(
        lambda drawn: [
            TaskRow(id=f"{kind}{n}", instruction=instruction, input=input)
            for n, (instruction, input) in enumerate(drawn)
        ]
    )


chosen = st.builds(
    FilteredSettings,
    rouge_l=st.sampled_from([0.5, 0.7, 0.8]),
    keep=st.sampled_from(["first", "none"]),
    compare=st.sampled_from(["auto", "instruction", "task", "input"]),
    against_seeds=st.booleans(),
    heuristics=st.builds(
        HeuristicSettings, unfinished_input=st.booleans(), same_as_seed=st.booleans()
    ),
    contamination=st.sampled_from(["drop", "report"]),
    contamination_rouge_l=st.sampled_from([0.3, 0.6, 0.9]),
    contamination_words=st.sampled_from([None, WORDS]),
)


def f(one: str, other: str) -> float:
    return float(ORACLE.score(one, other)["rougeL"].fmeasure)


def grams(line: TaskRow) -> set[tuple[str, ...]]:
    parts = (line.instruction.split(), line.input.split())
    return {tuple(p[i : i + WORDS]) for p in parts for i in range(len(p) - WORDS + 1)}


def text_of(options: FilteredSettings, line: TaskRow) -> str:
    task = f"{line.instruction}\n{line.input}"
    if options.compare == "input" and line.input:
        return line.input
    return task if options.compare == "task" else line.instruction


def reasons(
    options: FilteredSettings,
    rows: Sequence[TaskRow],
    seeds: Sequence[TaskRow],
    tests: Sequence[TaskRow],
) -> list[str]:
    """The drop reason of each row, "" for a kept one, by its definition in the documentation."""
    text = partial(text_of, options)

    def shares(row: TaskRow, test: TaskRow) -> bool:
        return options.contamination_words is not None and bool(grams(row) & grams(test))

    def reason_of_row(row: TaskRow) -> str:
        if options.heuristics.unfinished_input and row.input == "see above":
            return "unfinished_input"
        known = [" ".join(seed.instruction.split()) for seed in seeds]
        if options.heuristics.same_as_seed and " ".join(row.instruction.split()) in known:
            return "same_as_seed"
        whole = f"{row.instruction}\n{row.input}" if row.input else ""
        near = [
            max(f(text(row), text(test)), f(whole, text(test))) > options.contamination_rouge_l
            for test in tests
        ]
        contaminated = any(near) or any(shares(row, test) for test in tests)
        if contaminated and options.contamination == "drop":
            return "contamination"
        close = any(f(text(row), text(seed)) > options.rouge_l for seed in seeds)
        return "rouge_l_seed" if close and options.against_seeds else ""

    found = [reason_of_row(row) for row in rows]
    left = [place for place, reason in enumerate(found) if not reason]
    kept: list[int] = []
    for place in left:
        others = kept if options.keep == "first" else [other for other in left if other != place]
        if any(f(text(rows[other]), text(rows[place])) > options.rouge_l for other in others):
            found[place] = "rouge_l"
        else:
            kept.append(place)
    return found


@settings(max_examples=150)
@given(st.data(), chosen, lines("r", 14), lines("s", 3), lines("t", 3), st.integers(1, 5))
def test_every_row_is_dropped_for_the_documented_reason(
    data: st.DataObject,
    options: FilteredSettings,
    rows: list[TaskRow],
    seeds: list[TaskRow],
    tests: list[TaskRow],
    chunk: int,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(filter_module, "_CHUNK", chunk)
        patch.setattr(shared_text, "_FEWEST_ROWS", 99)  # what rows share has tests of its own
        task_filter = Filter(options, seeds, tests)
        start = 0
        while start < len(rows):
            size = data.draw(st.integers(1, 6))
            task_filter.add(rows[start : start + size])
            start += size
    expected = reasons(options, rows, seeds, tests)
    dropped = [
        task_filter.dropped[n].reason if n in task_filter.dropped else "" for n in range(len(rows))
    ]
    assert dropped == expected
    assert task_filter.kept == expected.count("")
    assert [row.id for row in task_filter.kept_tasks(rows)] == [
        row.id for row, reason in zip(rows, expected, strict=True) if not reason
    ]
    for position, drop in task_filter.dropped.items():
        if drop.reason.startswith("rouge_l"):
            witness = next(line for line in [*rows, *seeds] if line.id == drop.witness)
            pair = [witness, rows[position]]
            assert drop.score == f(*(text_of(options, line) for line in pair))


def test_the_best_seed_is_the_witness() -> None:
    seeds = [
        TaskRow(id=f"s{n}", instruction=text) for n, text in enumerate(["a b c d e", "a b c d"])
    ]
    task_filter = Filter(FilteredSettings(rouge_l=0.7, keep="first"), seeds)
    task_filter.add([TaskRow(id="r", instruction="a b c d")])
    assert (task_filter.dropped[0].witness, task_filter.dropped[0].score) == ("s1", 1.0)


def test_unicode_reads_every_script() -> None:
    rows = [
        TaskRow(id=f"{n}", instruction="请解释高血压的原因" + end)
        for n, end in enumerate(["", "。"])
    ]
    for tokenizer, left, unseen in (("latin", 2, 2), ("unicode", 1, 0), ("auto", 1, 0)):
        options = FilteredSettings.model_validate(
            {"rouge_l": 0.7, "keep": "first", "tokenizer": tokenizer}
        )
        task_filter = Filter(options)
        task_filter.add(rows)
        assert (task_filter.kept, task_filter.unseen) == (left, unseen)
        against_seed = Filter(options, rows[:1])
        against_seed.add(rows[1:])
        assert against_seed.kept == left - 1 or tokenizer == "latin"
