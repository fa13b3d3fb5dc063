"""Any text at all is read, nothing in it that looks like a task is lost, and in linear time."""

import re
from collections import Counter
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpacare.instructions.reply_parser import parse_reply

LABELS = ("Type", "Topic", "View", "Difficulty", "Instruction", "Input")
PIECES = ["Type: chat", "Topic: x", "View:", "Difficulty: 2", "Instruction: y", "Input: z", "text"]
PIECES += ["### Task 2", "1.", "2. Type: chat", "", "---", "**Task 3**", '{"type": "chat",', "}"]
replies = st.lists(st.sampled_from(PIECES), max_size=40).map("\n".join)
finish_reasons = st.sampled_from(["stop", "length"])


@settings(max_examples=300)
@given(
    replies | st.text() | st.text(st.sampled_from('{}[]":,\\`*#.1 \n\u00a0\ud800')), finish_reasons
)
def test_any_text_is_read(reply: str, finish_reason: str) -> None:
    parsed = parse_reply(reply, finish_reason)
    assert [task.index for task in parsed] == list(range(max(1, len(parsed))))
    assert all(bool(task.reason) == (task.fields == {}) for task in parsed)


@settings(max_examples=300)
@given(replies, finish_reasons)
def test_every_label_is_in_a_task_or_in_what_is_reported(reply: str, finish_reason: str) -> None:
    label = re.compile(rf"^(?:2\. )?({'|'.join(LABELS)}):", re.MULTILINE)
    texts = "\n".join(task.text for task in parse_reply(reply, finish_reason))
    assert Counter(label.findall(texts)) == Counter(label.findall(reply))


@pytest.mark.parametrize(
    "part",
    [
        "Type:\n",
        "Type: chat\n\n",
        "1.\n",
        "1. ",
        "### Task 3\n",
        "# task ",
        "Task 1\n",
        "Input:\nView:\n",
        "- - ",
        "```\n",
        " ",
        "\n",
        "**",
        '{"type":',
        '{"type": ["',
        '{"type": "chat"},',
        '{"a": 1, ',
        "{",
        '"',
        '\\"',
        "[",
        "(",
        "<",
        ">",
        "3 ",
        "No ",
        "I hope these ",
        "".join(f"{name}: 1\n" for name in LABELS),
        "".join(f"{name}: chat 1 " for name in LABELS),
    ],
)
@pytest.mark.parametrize(
    "before", ["", "Type: chat\nDifficulty: 3", '{"type": "', "Input: <noinput", "```"]
)
def test_100_kilobytes_take_no_quadratic_time(before: str, part: str) -> None:
    reply = before + part * (100_000 // len(part)) + "!"
    start = process_time()
    parse_reply(reply, "stop")
    assert process_time() - start < 2.5  # half a second at most; quadratic time is far more
