"""The parser of teacher replies: what a user would lose if it went wrong."""

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpacare.instructions.reply_parser import parse_reply
from alpacare.records.label_normalisation import normalise_input
from alpacare.records.task import TaskType

TASK = """### Task 1
Type: chat
Topic: Cardiology
View: patient
Difficulty: 2
Instruction: Explain this.
Input: <noinput>"""

words = st.text(alphabet="abcdefgh ,.%0123456789", min_size=1, max_size=60).map(str.strip)
line = words.filter(bool)
tasks = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(get_args(TaskType)),
            "topic": line,
            "view": line,
            "difficulty": st.integers(1, 5),
            "instruction": st.lists(line, min_size=1, max_size=3).map("\n".join),
            "input": st.lists(line, min_size=0, max_size=4).map("\n".join),
        }
    ),
    min_size=1,
    max_size=8,
)


def render(rows: list[dict[str, object]]) -> str:
    return "\n\n".join(
        f"### Task {n}\n"
        + "\n".join(f"{key.capitalize()}: {value or '<noinput>'}" for key, value in row.items())
        for n, row in enumerate(rows, start=1)
    )


def test_a_field_that_shows_nothing_is_missing_and_escapes_in_json_are_no_way_in() -> None:
    (task,) = parse_reply(TASK.replace("Cardiology", "\u200b"), "stop")
    assert (task.reason, task.fields) == ("missing_field", {})
    fields = {"type": "chat", "topic": "Heart\x1b[1m", "view": "p\x00", "difficulty": 2}
    (task,) = parse_reply(json.dumps(fields | {"instruction": "Go.", "input": "\u2060"}), "stop")
    assert (task.fields["topic"], task.fields["view"], task.fields["input"]) == ("Heart", "p", "")


@given(tasks)
def test_what_is_rendered_comes_back(rows: list[dict[str, object]]) -> None:
    rows = [{**r, "input": normalise_input(str(r["input"]))} for r in rows]
    assert [parsed.fields for parsed in parse_reply(render(rows), "stop")] == rows


def test_words_that_look_like_labels_stay_text() -> None:
    reply = TASK.replace("<noinput>", "Chest film.\nView: PA and lateral\nType: digital").replace(
        "Explain this.", "Use the Input: to answer, and mind Viewpoints."
    )
    (parsed,) = parse_reply(reply, "stop")
    assert parsed.fields["view"] == "patient"
    assert parsed.fields["input"] == "Chest film.\nView: PA and lateral\nType: digital"
    assert parsed.fields["instruction"] == "Use the Input: to answer, and mind Viewpoints."


def test_bold_and_lower_case_labels() -> None:
    bold = TASK.replace("Type:", "**Type:**").replace("Input:", "**input**:")
    assert parse_reply(bold, "stop")[0].fields == parse_reply(TASK, "stop")[0].fields


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("Difficulty: 2\n", "", "missing_field"),
        ("Instruction: Explain this.\n", "", "missing_field"),
        ("Type: chat", "Type: case discussion", "bad_type"),
        ("Difficulty: 2", "Difficulty: hard", "bad_difficulty"),
        ("Difficulty: 2", "Difficulty: 9", "bad_difficulty"),
    ],
)
def test_a_bad_task_is_named_and_the_others_stay(old: str, new: str, reason: str) -> None:
    good = TASK.replace("Task 1", "Task 2")
    first, second = parse_reply(TASK.replace(old, new) + "\n\n" + good, "stop")
    assert (first.reason, first.fields) == (reason, {})
    assert second.reason == ""


def test_the_last_task_of_a_cut_reply_is_not_used() -> None:
    first, second = parse_reply(TASK + "\n\n" + TASK.replace("1", "2"), "length")
    assert (first.reason, second.reason) == ("", "cut_off")


def test_headings_inside_a_field_are_text() -> None:
    reply = TASK.replace("<noinput>", "## Findings\nclear lungs\n### Impression\nnormal")
    (parsed,) = parse_reply(reply, "stop")
    assert parsed.fields["input"] == "## Findings\nclear lungs\n### Impression\nnormal"


def test_tasks_without_a_gap_are_separated() -> None:
    merged = TASK + "\n\n" + TASK.split("\n", 1)[1]
    alone, first, second = *parse_reply(TASK, "stop"), *parse_reply(merged, "stop")
    assert alone.fields == first.fields == second.fields


@pytest.mark.parametrize("heading", ["### Task 2", "## Task", "**Task 2: heart**", "Task 2:"])
def test_a_block_without_any_label_is_not_lost(heading: str) -> None:
    _, second, third = parse_reply(f"{TASK}\n{heading}\nSorry.\n{TASK}", "stop")
    assert (second.reason, second.text) == ("missing_field", "Sorry.")
    assert third.reason == ""


def test_a_fragment_before_its_first_label_is_the_one_cut_off() -> None:
    first, second = parse_reply(TASK + "\n\n### Task 2\nTy", "length")
    assert (first.reason, second.reason) == ("", "cut_off")


def test_numbers_in_the_text_cut_nothing() -> None:
    text = "In 2013.\nHemoglobin is 13.5 g/dL, glucose 155\n13.\nOne of the past few days."
    (parsed,) = parse_reply(TASK.replace("<noinput>", text), "stop")
    assert parsed.fields["input"] == text


def test_a_number_above_a_label_inside_a_task_changes_no_order() -> None:
    rows = [("Grade this.\n13..", "2"), ("Grade", None)]
    texts = [
        f"{place}.\nType: chat\nTopic: Cardiology\nView: patient\nInstruction: {text}"
        + (f"\nDifficulty: {level}\nInput: none" if level else "")
        for place, (text, level) in enumerate(rows, start=1)
    ]
    first, second = parse_reply("\n\n".join(texts), "length")
    assert (first.reason, first.fields["instruction"]) == ("", "Grade this.\n13..")
    assert second.reason == "cut_off"


def test_a_first_task_without_its_first_field_hides_no_other() -> None:
    rest = "Topic: Cardiology\nView: patient\nDifficulty: 1\nInput: none\nInstruction: Explain."
    lacking, whole = parse_reply(f"1.\n{rest}\n\n2.\nType: chat\n{rest}", "stop")
    assert lacking.reason == "missing_field"
    assert (whole.fields["type"], whole.fields["instruction"]) == ("chat", "Explain.")


def test_the_last_characters_of_a_numbered_task_stay() -> None:
    tasks = [TASK.split("\n", 1)[1].replace("this.", f"the past few days{n}") for n in ("s.", "12")]
    parsed = parse_reply(f"1. {tasks[0]}\n2. {tasks[1]}", "stop")
    assert [task.fields["instruction"] for task in parsed] == [
        "Explain the past few dayss.",
        "Explain the past few days12",
    ]


def test_labels_inside_words_and_sentences_are_text() -> None:
    reply = TASK.replace("Cardiology", "Viewpoints on vaccines").replace("this.", "the Input: it.")
    for text in (reply, reply.replace("Type:", "type:").replace("View:", "view:")):
        (parsed,) = parse_reply(text, "stop")
        assert parsed.fields["topic"] == "Viewpoints on vaccines"
        assert parsed.fields["instruction"] == "Explain the Input: it."
        assert parsed.fields["view"] == "patient"


def test_options_and_tables_keep_their_lines() -> None:
    text = "Which?\n\nA. aspirin\n  B. none\n| Na | 128 |\n| --- | --- |\n\tK 4.1"
    (parsed,) = parse_reply(TASK.replace("<noinput>", text), "stop")
    assert parsed.fields["input"] == text


def test_quotes_come_off_only_where_they_enclose() -> None:
    quoted = TASK.replace("Explain this.", '"Explain this."').replace("<noinput>", '"A" or "B"')
    (parsed,) = parse_reply(quoted, "stop")
    assert (parsed.fields["instruction"], parsed.fields["input"]) == ("Explain this.", '"A" or "B"')


def test_words_before_the_first_task_are_no_task() -> None:
    assert len(parse_reply("Here are six new tasks.\n\n" + TASK, "stop")) == 1


def test_a_reply_without_tasks_is_kept_as_witness() -> None:
    (parsed,) = parse_reply("I cannot help with that.", "stop")
    assert (parsed.reason, parsed.text) == ("no_tasks", "I cannot help with that.")
