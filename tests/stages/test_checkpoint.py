"""`checkpoint`, `curves`, `generations` and `base` on a student of a few thousand weights."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, run

from alpacare.core import jsonl
from alpacare.records.response import Response
from alpacare.records.task import TestTask, row_id
from alpacare.stages.base_generations import main as base
from alpacare.stages.checkpoint import main as checkpoint
from alpacare.stages.generations import main as generations
from alpacare.stages.training_curves import main as curves

TINY = {
    "hidden_size: 128": "hidden_size: 16",
    "layers: 3": "layers: 1",
    "vocab_size: 4096": "vocab_size: 400",
    "context: 1024": "context: 256",
    "max_seq_length: 512": "max_seq_length: 160",
    "max_new_tokens: 128": "max_new_tokens: 8",
    "learning_rate: 2.0e-3": "learning_rate: 5.0e-3",
}
OPTIONS = (
    "--prompt", REPOSITORY / "prompts/student",
    "--hardware", REPOSITORY / "configs/accelerate/cpu.yaml",
)  # fmt: skip


def edit(params: Path, changes: dict[str, str]) -> None:
    text = params.read_text()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    params.write_text(text)


@pytest.fixture
def responses(params: Path) -> Path:
    edit(params, TINY)
    names = ["heart", "lung", "liver", "kidney", "skin", "eye"]
    rows = [
        Response(
            id=row_id(f"Name one task of the {name}.", ""),
            instruction=f"Name one task of the {name}.",
            input="",
            output=f"The {name} keeps people alive and well.",
            finish_reason="stop",
            model="m",
            request="r",
        )
        for name in names
    ]
    jsonl.write(Path("responses.jsonl"), rows)
    return Path("responses.jsonl")


def train(responses: Path, out: str, hardware: Path | None = None) -> Any:
    options = [*OPTIONS[:3], hardware or OPTIONS[3]]
    return run(checkpoint, responses, out, *options)


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_training_twice_gives_the_same_bytes_and_a_lower_loss(responses: Path) -> None:
    for out in ("one", "two"):
        result = train(responses, out)
        assert result.exit_code == 0, result.output
    assert contents(Path("one")) == contents(Path("two"))
    assert not [name for name in contents(Path("one")) if name.endswith((".bin", ".pt"))]
    arguments = ["one/history.jsonl", "one/training.json", "--metrics", "m.json", "--plot", "p.csv"]
    assert run(curves, *arguments).exit_code == 0
    metrics = json.loads(Path("m.json").read_text())
    assert metrics["loss_end"] < metrics["loss_start"]
    assert metrics["examples"] == 6
    assert Path("p.csv").read_text().splitlines()[0] == "step,loss,learning_rate"


def test_a_prompt_that_leaves_no_room_goes_to_the_side_file(responses: Path) -> None:
    long = "very " * 200
    row = jsonl.read(responses, Response)[0].model_copy(update={"id": "long", "input": long})
    jsonl.write(responses, [row, *jsonl.read(responses, Response)])
    assert train(responses, "out").exit_code == 0
    (lost,) = map(json.loads, Path("out/dropped.jsonl").read_text().splitlines())
    assert (lost["id"], lost["reason"]) == ("long", "prompt_too_long")
    assert json.loads(Path("out/training.json").read_text())["examples"] == 6


def test_a_diverged_run_stops_and_leaves_the_old_checkpoint(responses: Path, params: Path) -> None:
    assert train(responses, "out").exit_code == 0
    before = contents(Path("out"))
    edit(params, {"learning_rate: 5.0e-3": "learning_rate: 1.0e+30"})
    result = train(responses, "out")
    assert result.exit_code == 2
    assert "training diverged: the loss of step" in result.output
    assert contents(Path("out")) == before


RUN = ["--run", "run.json"]


def test_the_student_and_its_base_answer_by_the_same_rules(responses: Path) -> None:
    task = TestTask(
        id=row_id("Name one task of the heart.", ""),
        instruction="Name one task of the heart.",
        input="",
        type="open QA",
        topic="t",
        view="v",
        difficulty=1,
        answers={"a": "x"},
    )
    jsonl.write(Path("tests.jsonl"), [task])
    assert train(responses, "out").exit_code == 0
    assert run(generations, "out", "tests.jsonl", "student.jsonl", *RUN).exit_code == 0
    assert run(base, "out", "tests.jsonl", "base.jsonl", *RUN).exit_code == 0
    (ours,) = map(json.loads, Path("student.jsonl").read_text().splitlines())
    (untrained,) = map(json.loads, Path("base.jsonl").read_text().splitlines())
    assert (ours["generator"], untrained["generator"]) == ("student", "base")
    assert ours["id"] == untrained["id"] == task.id
    assert ours["output"] != untrained["output"]


@pytest.mark.parametrize("text", ["", '{"step": 1, "epoch": 0.1, "loss": NaN, "learning_rate": 1}'])
def test_a_history_without_numbers_is_refused(params: Path, text: str) -> None:
    Path("h.jsonl").write_text(text)
    Path("t.json").write_text("{}")
    result = run(curves, "h.jsonl", "t.json", "--metrics", "m.json", "--plot", "p.csv")
    assert result.exit_code == 2
    assert "h.jsonl" in result.output
    assert not Path("m.json").exists()
