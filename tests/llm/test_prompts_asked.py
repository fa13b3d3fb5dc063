"""Stage `responses` with a prompt that asks nothing: one line, and no call."""

import shutil
from pathlib import Path

import pytest
from conftest import REPOSITORY, run
from loopback import Running
from staging import OUTS, task, write_inputs

from alpacare.core import jsonl
from alpacare.records.task import Instruction, row_id
from alpacare.stages.responses import main

TASKS = ["Explain fever.", "Explain a rash.", "Name a vitamin."]


@pytest.fixture
def prompt(server: Running, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The prompt for responses, and a server that may be asked."""
    monkeypatch.setenv("BUDGET", "1")
    write_inputs(0, {"base_url": server.url, "api_key": None})
    write_tasks(*TASKS)
    return Path(shutil.copytree(REPOSITORY / "prompts/responses", "prompt"))


def write_tasks(*tasks: str | tuple[str, str]) -> list[str]:
    """Write tasks, with an input or without; give their ids."""
    pairs = [(each, "") if isinstance(each, str) else each for each in tasks]
    rows = [
        Instruction.model_validate({**task(text), "input": input, "id": row_id(text, input)})
        for text, input in pairs
    ]
    jsonl.write(Path("tasks.jsonl"), rows)
    return [row.id for row in rows]


def answer(server: Running, exit_code: int) -> str:
    """Run the stage; with exit code 2 nobody was asked, and nothing was written."""
    out, dropped, usage = OUTS
    calls = server.state()["calls"]
    files = ["tasks.jsonl", out, "--dropped", dropped, "--usage", usage, "--prompt", "prompt"]
    done = run(main, *files)
    assert done.exit_code == exit_code, done.output
    if exit_code:
        assert (server.state()["calls"], Path(out).exists()) == (calls, False)
        assert len(done.output.strip().splitlines()) == 1
    return done.output


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ("{instruction}\n{input}\n", "prompt/user.txt, line 1: single braces are plain text"),
        ("", "prompt/user.txt: the file is empty"),
        ("{{ instruction }}", "prompt/user.txt: the text does not show the variable 'input'"),
        (
            "{{ instuction }}",
            "prompt/user.txt, line 1: unknown variable 'instuction'; did you mean",
        ),
    ],
)
def test_a_prompt_without_the_task_stops_the_stage(
    server: Running, prompt: Path, user: str, message: str
) -> None:
    (prompt / "user.txt").write_text(user)
    assert message in answer(server, 2)


def test_two_tasks_in_one_request_are_both_named(server: Running, prompt: Path) -> None:
    """The first word is all that this prompt shows; it changes the text, so it looks right."""
    user = prompt / "user.txt"
    user.write_text(user.read_text().replace("{{ instruction", "{{ instruction.split()[0]"))
    first, second, _ = write_tasks(*TASKS)
    message = f"error: prompt: tasks {first} and {second} make the same request"
    assert message in answer(server, 2)


def test_a_task_that_is_asked_nothing_is_named(server: Running, prompt: Path) -> None:
    (prompt / "user.txt").write_text("{% if input %}{{ instruction }} {{ input }}{% endif %}")
    _, without = write_tasks(("Explain this.", "HbA1c 9 %"), "Explain fever.")
    assert f"the prompt asks nothing for task {without}" in answer(server, 2)


def test_one_question_written_in_two_ways_may_share_an_answer(
    server: Running, prompt: Path
) -> None:
    """Imported files have rows whose input is a part of the instruction in another row."""
    write_tasks("Explain this.\n\nHbA1c 9 %", ("Explain this.", "HbA1c 9 %"))
    assert "2 responses" in answer(server, 0)
    assert server.state()["calls"] == 1
