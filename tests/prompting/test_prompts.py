"""Prompts: filled once, the same for training and generation, and as they were in checkpoints."""

from pathlib import Path

import pytest
from conftest import REPOSITORY

from alpacare.core.errors import BadInput
from alpacare.prompting.chat_prompt import ChatPrompt
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.prompting.variables import TASK

STUDENT = REPOSITORY / "prompts/student"


def test_an_empty_input_takes_the_other_template() -> None:
    prompt = StudentPrompt.choose("alpaca", STUDENT)
    assert "### Input:" not in prompt.fill("Explain X.", "")
    assert "### Input:\nlab values\n" in prompt.fill("Explain X.", "lab values")
    assert prompt.fill("Explain X.", "y").endswith("### Response:\n")


def test_braces_in_a_task_are_text() -> None:
    prompt = StudentPrompt.choose("alpaca", STUDENT)
    filled = prompt.fill("Say {{ input }} and {instruction}", "a {% if %} b\r\n")
    assert "Say {{ input }} and {instruction}\n" in filled
    assert "a {% if %} b\r\n\n" in filled


def test_jinja_in_a_value_is_text() -> None:
    values = {"instruction": "{{ input }}{% raw %}", "input": "{{ 1/0 }}"}
    _, user = ChatPrompt.read(REPOSITORY / "prompts/responses", TASK).fill(values)
    assert user["content"] == "{{ input }}{% raw %}\n\n{{ 1/0 }}"


def test_a_checkpoint_keeps_its_prompt(tmp_path: Path) -> None:
    prompt = StudentPrompt.choose("alpaca", STUDENT)
    prompt.save(tmp_path / "prompt")
    assert StudentPrompt.read(tmp_path / "prompt") == prompt


def test_a_checkpoint_of_an_earlier_version_is_read_as_it_was_trained(tmp_path: Path) -> None:
    prompt = StudentPrompt.choose("alpaca", STUDENT)
    prompt.save(tmp_path / "prompt")
    for path in (tmp_path / "prompt").glob("*_input.txt"):
        path.write_text(path.read_text().replace("{{ ", "{").replace(" }}", "}"))
    assert StudentPrompt.read(tmp_path / "prompt") == prompt


def test_a_student_with_single_braces_is_refused(tmp_path: Path) -> None:
    (tmp_path / "with_input.txt").write_text("{{ instruction }}\n{{ input }}\n")
    (tmp_path / "without_input.txt").write_text("Do this.\n{instruction}\n")
    message = r"without_input.txt, line 2: .*: {instruction}; write {{ instruction }}$"
    with pytest.raises(BadInput, match=message):
        StudentPrompt.choose("alpaca", tmp_path)
