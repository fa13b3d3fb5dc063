"""Prompts: filled once, the same for training and generation, loud when they are wrong."""

from pathlib import Path

import pytest
from conftest import REPOSITORY

from alpacare.core.errors import BadInput
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.prompting.templates import render_chat

STUDENT = REPOSITORY / "prompts/student"


def test_an_empty_input_takes_the_other_template() -> None:
    prompt = StudentPrompt.choose("alpaca", STUDENT)
    assert "### Input:" not in prompt.fill("Explain X.", "")
    assert "### Input:\nlab values\n" in prompt.fill("Explain X.", "lab values")
    assert prompt.fill("Explain X.", "y").endswith("### Response:\n")


def test_braces_in_a_task_are_text() -> None:
    prompt = StudentPrompt.choose("alpaca", STUDENT)
    filled = prompt.fill("Say {input} and {instruction}", "a {instruction} b")
    assert "Say {input} and {instruction}\n" in filled
    assert "a {instruction} b" in filled


def test_a_template_without_its_variable_is_refused(tmp_path: Path) -> None:
    (tmp_path / "with_input.txt").write_text("{instruction}")
    (tmp_path / "without_input.txt").write_text("{instruction}")
    with pytest.raises(BadInput, match=r"with_input.txt: the variable \{input\} is missing"):
        StudentPrompt.choose("alpaca", tmp_path)


def test_jinja_in_a_value_is_text() -> None:
    values = {"instruction": "{{ input }}{% raw %}", "input": "{{ 1/0 }}"}
    _, user = render_chat(REPOSITORY / "prompts/responses", values)
    assert user["content"] == "{{ input }}{% raw %}\n\n{{ 1/0 }}"


def test_an_unknown_variable_is_named(tmp_path: Path) -> None:
    (tmp_path / "system.txt").write_text("x")
    (tmp_path / "user.txt").write_text("{{ instuction }}")
    with pytest.raises(BadInput, match=r"user.txt: 'instuction' is undefined"):
        render_chat(tmp_path, {"instruction": "x"})
