"""Published test sets in all their forms; every row here was written for these tests."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY

from alpacare.core.errors import BadInput
from alpacare.core.settings import check
from alpacare.datasets.tables import read_table_rows
from alpacare.datasets.test_set_merge import PublishedFile, TestSet, merge
from alpacare.records.comparisons import JudgmentsSettings
from alpacare.records.task import row_id
from alpacare.records.test_set import read_test_set

Rows = list[dict[str, Any]]
TEA, SALT, NAP = "Is tea good for a cold?", "How much salt is too much?", "Is a nap healthy?"


def file(name: str, text: str, answerer: str | None = None) -> PublishedFile:
    """A file of this text, read."""
    Path(name).write_text(text)
    return PublishedFile(name, list(read_table_rows(Path(name))), answerer)


def lines(rows: Rows, answerer: str | None = None, name: str = "a.jsonl") -> PublishedFile:
    return file(name, "".join(json.dumps(row) + "\n" for row in rows), answerer)


def array(rows: Rows, answerer: str | None = None, name: str = "b.json") -> PublishedFile:
    return file(name, json.dumps(rows, indent=1), answerer)


def questions(merged: TestSet) -> list[tuple[str, str]]:
    return [(task.instruction, task.input) for task in merged.tasks]


def answers(merged: TestSet) -> list[dict[str, str]]:
    return [task.answers for task in merged.tasks]


def signed(id: int, question: str, **fields: str) -> dict[str, Any]:
    """A row in the form of MedInstruct-test."""
    return {
        "id": id,
        "instruction": question,
        "difficulty": "3",
        "gpt-4-answer": f"4 {question}",
        "claude-2": f" c {question}",
        "gpt-3.5-turbo-answer": f"3.5 {question}",
        **fields,
    }


def test_answer_keys_ids_difficulty_and_blanks_are_repaired() -> None:
    merged = merge([lines([signed(0, TEA), signed(2, SALT, instruction=f" {SALT}\n")])])
    assert merged.answerers == ["gpt-4", "claude-2", "gpt-3.5-turbo"]
    assert questions(merged) == [(TEA, ""), (SALT, "")]
    assert [task.id for task in merged.tasks] == [row_id(TEA, ""), row_id(SALT, "")]
    assert merged.tasks[0].answers["claude-2"] == f"c {TEA}"
    assert [task.difficulty for task in merged.tasks] == [3, 3]
    assert merged.tasks[0].type is None
    assert merged.repairs == {
        "ids made anew": 2,
        "texts with blanks at their ends": 3,
        "fields 'gpt-4-answer' read as gpt-4": 2,
        "fields 'gpt-3.5-turbo-answer' read as gpt-3.5-turbo": 2,
    }


def test_repairs_of_an_answer_are_counted_once() -> None:
    merged = merge([lines([{"instruction": TEA, "output": " yes \n"}], answerer="ann")])
    assert answers(merged) == [{"ann": "yes"}]
    assert merged.repairs == {"texts with blanks at their ends": 1}


def test_neither_ids_nor_positions_decide_what_is_answered() -> None:
    model = [
        {"id": 0, "instruction": NAP, "raw_output": "p: nap", "response": "nap"},
        {"id": 1, "instruction": TEA, "raw_output": "p: tea", "response": "tea\n"},
        {"id": 2, "instruction": SALT, "raw_output": "p: salt", "response": "salt"},
    ]
    merged = merge([lines([signed(0, TEA), signed(2, SALT), signed(3, NAP)]), array(model, "ours")])
    assert [row["ours"] for row in answers(merged)] == ["tea", "salt", "nap"]
    assert [row["gpt-4"] for row in answers(merged)] == [f"4 {TEA}", f"4 {SALT}", f"4 {NAP}"]
    assert merged.missing == {}


@pytest.mark.parametrize(
    ("row", "answerer", "expected"),
    [
        ({"instruction": TEA, "input": "", "output": "yes"}, "gpt-4", {"gpt-4": "yes"}),
        ({"instruction": TEA, "response": " yes"}, "claude-2", {"claude-2": "yes"}),
        ({"instruction": "", "input": TEA, "output": "yes"}, "gpt-4", {"gpt-4": "yes"}),
        (
            {"dataset": "x", "instruction": TEA, "output": "yes", "generator": "text_davinci_003"},
            None,
            {"text-davinci-003": "yes"},
        ),
        (
            {"instruction": TEA, "output": "yes", "generator": "text_davinci_003"},
            "my_own",
            {"my_own": "yes"},
        ),
        (
            {"instruction": TEA, "output": "no", "generator": "a_b", "response": "yes"},
            "chat",
            {"chat": "yes", "a-b": "no"},
        ),
        ({"instruction": TEA, "answers": {"terse": "yes"}}, None, {"terse": "yes"}),
        ({"instruction": TEA}, None, {}),
    ],
)
def test_every_form_gives_the_same_task(
    row: dict[str, Any], answerer: str | None, expected: dict[str, str]
) -> None:
    for source in (lines([row], answerer), array([row], answerer)):
        merged = merge([source])
        assert questions(merged) == [(TEA, "")]
        assert answers(merged) == [expected]


def test_our_own_form_comes_back_as_it_was() -> None:
    path = REPOSITORY / "data/tests/demo.jsonl"
    merged = merge([file("demo.jsonl", path.read_text())])
    assert merged.tasks == read_test_set(path)
    assert merged.repairs == {}


def test_a_line_separator_inside_a_text_ends_no_row() -> None:
    text = '{"instruction": "Is tea\u2028good?", "output": "yes\x85no"}\r\n\n'
    merged = merge([file("a.jsonl", text, "a")])
    assert (questions(merged), answers(merged)) == (
        [("Is tea\u2028good?", "")],
        [{"a": "yes\x85no"}],
    )


@pytest.mark.parametrize("input", ["NA", " &lt;noinput&gt; ", "", None, float("nan")])
def test_a_placeholder_is_no_input(input: str | None) -> None:
    assert questions(merge([lines([{"instruction": TEA, "input": input}])])) == [(TEA, "")]


@pytest.mark.parametrize("input", ["DNA and RNA", "NA 140, K 4", ">"])
def test_part_of_an_input_is_no_placeholder(input: str) -> None:
    assert questions(merge([lines([{"instruction": TEA, "input": input}])])) == [(TEA, input)]


def bare(*texts: str) -> PublishedFile:
    """Questions in the form of the iCliniq files that have an empty instruction."""
    rows = [{"instruction": "", "input": text, "output": f"4 {text}"} for text in texts]
    return lines(rows, "gpt-4", "bare.jsonl")


def prompts(*texts: str, prefix: str = "Reply as a nurse.") -> PublishedFile:
    """Questions in the form of the iCliniq file that has whole prompts."""
    rows = [
        {"response": f" c {text}", "prompt": f"Human: {prefix}\n\n{text}\n\nAssistant:"}
        for text in texts
    ]
    return lines(rows, "claude-2", "prompts.jsonl")


def named(source: PublishedFile, answerer: str) -> PublishedFile:
    return replace(source, answerer=answerer)


LONG = f"I cough.\n{TEA} And  honey?"


@pytest.mark.parametrize("first", [0, 1])
def test_a_prompt_is_joined_by_the_question_in_it(first: int) -> None:
    files = [bare(TEA, f"{LONG} ", SALT), prompts(SALT, LONG.replace("\n", " "), TEA)]
    merged = merge(files[::-1] if first else files)
    assert questions(merged) == [("Reply as a nurse.", text) for text in (TEA, LONG, SALT)]
    joined = [row["claude-2"] for row in answers(merged)]
    assert joined == [f"c {text}" for text in (TEA, LONG.replace("\n", " "), SALT)]
    assert merged.missing == {}


def test_the_text_before_questions_is_their_instruction_if_it_is_always_the_same() -> None:
    model = [{"instruction": "Reply as a nurse.", "input": q, "response": q} for q in (SALT, TEA)]
    merged = merge([bare(TEA, SALT), array(model, "ours"), prompts(TEA, SALT)])
    assert questions(merged) == [("Reply as a nurse.", TEA), ("Reply as a nurse.", SALT)]
    assert merged.answerers == ["gpt-4", "ours", "claude-2"]
    assert merged.repairs["empty instructions: Reply as a nurse."] == 2
    merged = merge([bare(TEA, SALT), array(model, "ours"), prompts(TEA, SALT, prefix="As a cook.")])
    assert questions(merged) == [(TEA, ""), (SALT, "")]
    assert merged.repairs["empty instructions: the input is the instruction"] == 2
    assert merged.missing == {"ours": 2}


def test_a_prompt_holds_the_longest_of_nested_questions() -> None:
    more = f"{TEA} In winter?"
    merged = merge([lines([signed(0, TEA), signed(1, more)]), named(prompts(more, TEA), "nurse")])
    assert [row["nurse"] for row in answers(merged)] == [f"c {TEA}", f"c {more}"]


def test_two_prompts_with_one_question_are_both_left_out() -> None:
    merged = merge([bare(TEA, SALT, NAP), prompts(TEA, SALT, TEA, NAP)])
    assert (merged.answerers, merged.missing) == (["gpt-4"], {"claude-2": 1})
    assert [row.reason for row in merged.dropped] == ["no_such_question"] * 2


def test_a_prompt_that_only_ends_in_a_question_is_no_answer_to_it() -> None:
    """Its own question is in no other file, and a short one is its end, or is somewhere in it."""
    short = "What is it?"
    rest = [TEA, SALT, f"My knee is swollen. {short}", "ARCHIVE HIVES"]
    merged = merge([lines([signed(n, q) for n, q in enumerate([TEA, SALT, short, "HIV"])]),
                  named(prompts(*rest), "nurse")])  # fmt: skip
    assert merged.missing == {"nurse": 2}
    assert [row.reason for row in merged.dropped] == ["no_such_question"] * 2


def test_who_does_not_answer_everything_is_left_out_and_counted() -> None:
    merged = merge([
        lines([signed(0, TEA), signed(1, SALT), signed(2, NAP)]),
        array([{"instruction": TEA, "output": "x"}, {"instruction": "Why?", "output": "y"}], "b"),
    ])  # fmt: skip
    assert merged.answerers == ["gpt-4", "claude-2", "gpt-3.5-turbo"]
    assert merged.missing == {"b": 2}
    assert all(list(row) == merged.answerers for row in answers(merged))
    assert [(row.reason, row.id) for row in merged.dropped] == [
        ("no_such_question", "b.json: row 2")
    ]


def test_an_empty_answer_is_an_answer() -> None:
    merged = merge([lines([signed(0, TEA), signed(1, SALT, **{"claude-2": " "})])])
    assert [row["claude-2"] for row in answers(merged)] == [f"c {TEA}", ""]
    assert merged.repairs["answers that are empty, and stay so"] == 1


def test_of_two_rows_with_one_question_the_first_is_kept() -> None:
    again = {"id": 9, "instruction": TEA.replace(" ", "  "), "gpt-4-answer": "other"}
    merged = merge([lines([signed(0, TEA), again, signed(1, SALT)])])
    assert questions(merged) == [(TEA, ""), (SALT, "")]
    assert [row["gpt-4"] for row in answers(merged)] == [f"4 {TEA}", f"4 {SALT}"]
    assert [(row.reason, row.id, row.witness) for row in merged.dropped] == [
        ("same_task", "a.jsonl:2", "a.jsonl:1")
    ]
    assert merged.questions == 3


def test_type_topic_and_difficulty_are_kept_or_null() -> None:
    model = [{"instruction": TEA, "output": "x"}, {"instruction": SALT, "output": "x"}]
    kinds = [
        {"instruction": SALT, "type": "Open Q&A", "topic": " Diet", "difficulty": "hard"},
        {"instruction": TEA, "type": "riddle", "difficulty": 5, "avg_score": 0.5},
    ]
    merged = merge([lines(model, "m"), array(kinds)])
    tea, salt = merged.tasks
    assert (tea.type, tea.difficulty, tea.topic) == (None, 5, None)
    assert (salt.type, salt.difficulty, salt.topic) == ("open QA", None, "Diet")
    assert (
        merged.repairs["type unknown, set to null"]
        == merged.repairs["difficulty unknown, set to null"]
    )
    assert merged.repairs["fields 'avg_score' not read"] == 1


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (
            lambda: [lines([{"question": TEA, "answer": "x"}])],
            "a.jsonl:1: no question: wanted 'ins",
        ),
        (lambda: [lines([{"question": TEA, "answer": "x"}])], "the row has: question, answer"),
        (lambda: [lines([{"instruction": TEA, "output": "x"}])], ":1: whose is this 'output'?"),
        (lambda: [lines([{"instruction": TEA, "response": "x"}])], ":1: whose is this 'response'?"),
        (lambda: [lines([signed(0, TEA, **{"gpt_4-answer": "x"})])], "two answers by 'gpt-4'"),
        (lambda: [lines([{"instruction": TEA, "answers": ["x"]}])], "'answers' must be an object"),
        (
            lambda: [lines([{"instruction": TEA, "answers": {"?": "x"}}])],
            "'?' is not a name for an answ",
        ),
        (
            lambda: [lines([signed(0, TEA)]), array([signed(0, TEA)])],
            "b.json: row 1: 'gpt-4' has answered",
        ),
        (lambda: [lines([signed(0, TEA)], "me")], "a.jsonl: has no 'output' or 'response' of me"),
        (lambda: [prompts(TEA)], "prompts.jsonl: no questions; name a file that has 'instruction'"),
        (lambda: [file("a.jsonl", "")], "a.jsonl: is empty; was its copy"),
        (lambda: [file("b.json", '[{"instruction": "x"}, ')], "b.json: not valid JSON"),
    ],
)
def test_bad_input_is_named(sources: Callable[[], list[PublishedFile]], message: str) -> None:
    with pytest.raises(BadInput, match=r"^[^\n]*$") as caught:
        merge(sources())
    assert message in str(caught.value)


def test_rows_that_cannot_be_read_are_dropped_and_the_others_come_in() -> None:
    text = f'{{"instruction": "{TEA}"}}\n{{}}\n{{"instr\n"x"\n{{"instruction": ["x"]}}\n'
    merged = merge([file("a.jsonl", text)])
    assert questions(merged) == [(TEA, "")]
    assert [(row.reason, row.id) for row in merged.dropped] == [
        ("no_question", "a.jsonl:2"),
        ("unreadable", "a.jsonl:3"),
        ("unreadable", "a.jsonl:4"),
        ("not_text", "a.jsonl:5"),
    ]
    assert merged.dropped[2].witness == "a.jsonl:4: expected a JSON object, found str"


def test_names_with_dots_are_legal_and_paths_are_not() -> None:
    values = {
        "contestants": [],
        "references": ["gpt-3.5-turbo"],
        "head_to_head": "a",
        "judges": ["a_b"],
        "local_judges": [],
    }
    check(values, JudgmentsSettings, "")
    for name in (".a", "a/b", "../a", "", "a b", "a\n"):
        with pytest.raises(BadInput):
            check(values | {"references": [name]}, JudgmentsSettings, "")
