"""What nearly all rows share is no evidence of likeness."""

import pytest

from alpacare.filtering.filter import Filter
from alpacare.filtering.settings import FilteredSettings
from alpacare.filtering.shared_text import Ends, evenly_spread, shared_ends, shared_text
from alpacare.filtering.task_texts import TaskRow

LEAD = "Be a kind nurse and answer the person below in plain words."
QUESTIONS = ["Why does my knee click?", "Is tea good for iron?", "May a baby fly at two weeks?"]


def rows(tasks: list[tuple[str, str]], name: str = "r") -> list[TaskRow]:
    return [
        TaskRow(id=f"{name}{n}", instruction=instruction, input=input)
        for n, (instruction, input) in enumerate(tasks)
    ]


def filtered(
    tasks: list[tuple[str, str]], tests: list[tuple[str, str]] | None = None, **settings: str
) -> Filter:
    options = FilteredSettings.model_validate({"rouge_l": 0.7, "keep": "first"} | settings)
    task_filter = Filter(options, (), rows(tests or [], "set/"))
    task_filter.add(rows(tasks))
    return task_filter


def test_a_constant_instruction_leaves_the_inputs() -> None:
    tasks = [(LEAD, question) for question in [*QUESTIONS, QUESTIONS[0].upper()]]
    task_filter = filtered(tasks)
    assert {n: drop.reason for n, drop in task_filter.dropped.items()} == {3: "rouge_l"}
    assert (task_filter.chosen, task_filter.by_input) == ("input", 4)
    assert task_filter.texts.left_out() == [LEAD]
    assert filtered(tasks, compare="instruction").kept == 1
    assert filtered(tasks, compare="input").kept == 3


@pytest.mark.parametrize("field", ["instruction", "input"])
def test_a_template_around_each_question_is_left_out(field: str) -> None:
    texts = [f"{LEAD} Question: {question} Answer in one short line." for question in QUESTIONS]
    tasks = [(text, "") if field == "instruction" else ("Reply.", text) for text in texts]
    assert filtered(tasks).kept == 3
    assert filtered(tasks, compare="task").kept == 1


def test_what_rows_share_is_seen_in_the_first_round_that_has_some() -> None:
    task_filter = Filter(FilteredSettings(rouge_l=0.7, keep="first"))
    for round_ in ([], [(LEAD, question) for question in QUESTIONS], [(LEAD, "Is rice bland?")]):
        task_filter.add(rows(round_, f"round {task_filter.added}/"))
    assert task_filter.kept == 4


def test_some_rows_in_ten_may_be_without_the_lead() -> None:
    texts = [f"{LEAD} {number} apples" for number in range(9)]
    assert shared_ends([*texts, "Other"]) == Ends(lead=LEAD + " ", tail=" apples"[7:])
    assert shared_ends([*texts, "Other", "Another"]) == Ends()


def test_a_lead_ends_with_a_whole_word_and_has_four() -> None:
    assert shared_ends(["we may all carry on", "we may all cart", "we may all care"]) == Ends()
    ends = shared_ends(["so we may all carry on", "so we may all cart", "so we may all care"])
    assert ends.lead == "so we may all "
    assert (
        shared_ends(["你是一位医生请回答咳嗽", "你是一位医生请回答发烧"] * 2).lead
        == "你是一位医生请回答"
    )


def test_an_instruction_of_many_rows_is_compared_among_them_only() -> None:
    report = "The film shows a small shadow at the left base and no fluid at all."
    others = [(f"{word} {number} in one {word} line", "") for number, word in enumerate("abcdefg")]
    tasks = [
        (work, text)
        for work in ("Translate.", "Sum up.")
        for text in (report, "A stone of the left kidney.", "Both hips look worn.")
    ]
    task_filter = filtered([*tasks, *others, ("Sum up.", report)])
    assert list(task_filter.dropped) == [len(tasks) + len(others)]
    assert task_filter.dropped[len(tasks) + len(others)].witness == "r3"
    assert task_filter.chosen == "mixed"


@pytest.mark.parametrize("compare", ["auto", "task", "instruction"])
def test_a_lead_shared_with_a_test_set_is_no_contamination(compare: str) -> None:
    tasks = [(LEAD, question) for question in QUESTIONS]
    test = [(LEAD, "Can a cut heal without stitches?")]
    dropped = filtered(tasks, test, compare=compare).dropped.values()
    assert "contamination" not in {drop.reason for drop in dropped}
    copied = filtered([*tasks, (LEAD, test[0][1])], test, compare=compare)
    assert copied.dropped[3].reason == "contamination"


def test_a_lead_of_the_test_set_alone_is_no_contamination() -> None:
    test = [(f"{LEAD} {question}", "") for question in QUESTIONS]
    tasks = [(LEAD, "Can a cut heal?"), ("Name a bone.", ""), ("Say why we yawn.", "")]
    assert filtered(tasks, test).kept == 3
    assert filtered([*tasks, (QUESTIONS[0], "")], test).dropped[3].reason == "contamination"


def test_a_constant_instruction_that_is_a_seeds_is_no_copy_of_the_seed() -> None:
    seeds = rows([(LEAD, "Why is my ear hot?")], "s")
    options = FilteredSettings.model_validate(
        {"rouge_l": 0.7, "keep": "first", "heuristics": {"same_as_seed": True}}
    )
    task_filter = Filter(options, seeds)
    task_filter.add(rows([*((LEAD, question) for question in QUESTIONS), (LEAD, "")]))
    assert {n: drop.reason for n, drop in task_filter.dropped.items()} == {3: "same_as_seed"}


def test_rows_of_nothing_but_shared_text_are_compared_as_they_are() -> None:
    assert filtered([(LEAD, "")] * 3).kept == 1
    assert shared_text([]).own("a", "b") == ("a", "b")


def test_questions_in_chinese_that_share_a_number_stay() -> None:
    questions = ["68岁男子突然胸闷，要查什么？", "女孩68公分高算正常吗？", "体重68公斤能献血吗？"]  # noqa: RUF001
    for tokenizer in ("auto", "latin", "unicode"):
        assert filtered([(text, "") for text in questions], tokenizer=tokenizer).kept == 3


@pytest.mark.parametrize(("size", "looked_at"), [(0, 0), (20_000, 20_000), (20_001, 10_001)])
def test_of_a_large_file_evenly_spread_rows_are_looked_at(size: int, looked_at: int) -> None:
    assert len(evenly_spread(size)) == looked_at
