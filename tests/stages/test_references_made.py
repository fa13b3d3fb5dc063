"""References that are made here: asked through an API, run here, or the student's base."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from answerers import make_checkpoint
from conftest import REPOSITORY, run
from loopback import Running

from alpacare.core import jsonl
from alpacare.records.generation import Generation
from alpacare.records.task import TestTask, row_id
from alpacare.stages.answers import main as answers
from alpacare.stages.asked import main as asked
from alpacare.stages.base import main as base
from alpacare.stages.generations import main as generations
from alpacare.stages.local import main as local

ASKED = ["Explain fever.", "Name a vitamin.", "Why rest?"]
OUTS = ["tests.jsonl", "out.jsonl", "--run", "run.json"]


@pytest.fixture
def tests_file(workspace: Path) -> Path:
    rows = [TestTask(id=row_id(i, ""), instruction=i, input="") for i in ASKED]
    jsonl.write(workspace / "tests.jsonl", rows)
    return workspace / "tests.jsonl"


@pytest.fixture
def reference(workspace: Path) -> Path:
    """The reference that the project ships, asked of the server on loopback."""
    return Path(shutil.copytree(REPOSITORY / "prompts/references/gpt-4o", workspace / "gpt-4o"))


def set_server(server: Running) -> None:
    endpoint = {"base_url": server.url, "api_key": "OPENAI_API_KEY"}
    Path("params.yaml").write_text(json.dumps({"endpoints": {"openai": endpoint}}))


def test_a_model_is_asked_once_and_its_answers_are_kept_by_test(
    server: Running, tests_file: Path, reference: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_server(server)
    refused = run(asked, "gpt-4o", *OUTS)
    assert refused.exit_code == 2
    assert "3 of 3 answers are not in the ledger" in refused.output
    assert not Path("out.jsonl").exists()
    monkeypatch.setenv("BUDGET", "1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    done = run(asked, "gpt-4o", *OUTS)
    assert done.exit_code == 0, done.output
    rows = jsonl.read(Path("out.jsonl"), Generation)
    assert [row.instruction for row in rows] == ASKED
    assert {row.generator for row in rows} == {"gpt-4o"}
    assert len({row.output for row in rows}) == 3
    assert all(row.tokens for row in rows)
    how = json.loads(Path("run.json").read_text())
    assert (how["engine"], how["calls"]) == ("asked", 3)
    assert how["dollars"] > 0
    calls = server.state()["calls"]
    monkeypatch.delenv("BUDGET")
    assert run(asked, "gpt-4o", *OUTS).exit_code == 0
    assert server.state()["calls"] == calls
    assert run(answers, "out.jsonl", "run.json", "metrics.json").exit_code == 0
    metrics = json.loads(Path("metrics.json").read_text())
    assert (metrics["answers"], metrics["engine"]) == (3, "asked")
    assert metrics["dollars"] == how["dollars"]


def test_a_reference_with_a_wrong_setting_is_named(tests_file: Path, reference: Path) -> None:
    path = reference / "settings.yaml"
    path.write_text(path.read_text().replace("temperature: 0 ", "temprature: 0 "))
    done = run(asked, "gpt-4o", *OUTS)
    assert done.exit_code == 2
    assert "gpt-4o/settings.yaml: temprature: unknown key; did you mean 'temperature'?" in (
        done.output
    )


@pytest.fixture
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("model") / "checkpoint", chat=True)


def write_local(**changes: Any) -> None:
    Path("other").mkdir()
    Path("other/settings.yaml").write_text(json.dumps(changes))


def test_another_model_answers_by_the_students_rules(
    model: Path, params: Path, tests_file: Path
) -> None:
    """The same weights and the same prompt give the student's own answers, under another name."""
    write_local(model=str(model), revision=None, prompt="chat")
    extra = ["--prompt", str(REPOSITORY / "prompts/student")]
    done = run(local, "other", *OUTS, *extra)
    assert done.exit_code == 0, done.output
    rows = jsonl.read(Path("out.jsonl"), Generation)
    assert run(generations, model, *OUTS).exit_code == 0
    student = jsonl.read(Path("out.jsonl"), Generation)
    assert [row.model_copy(update={"generator": "student"}) for row in rows] == student
    assert {row.generator for row in rows} == {"other"}


def test_a_model_of_the_hub_needs_a_commit(params: Path, tests_file: Path) -> None:
    write_local(model="some/model", revision="main", prompt="chat")
    done = run(local, "other", *OUTS, "--prompt", str(REPOSITORY / "prompts/student"))
    assert done.exit_code == 2
    assert "other/settings.yaml: 'some/model' is no local folder" in done.output


def test_the_untrained_student_is_made_again(model: Path, params: Path, tests_file: Path) -> None:
    """`base` begins from training.json, so its answers are those of other weights."""
    first = run(base, model, *OUTS)
    assert first.exit_code == 0, first.output
    rows = jsonl.read(Path("out.jsonl"), Generation)
    assert {row.generator for row in rows} == {"base"}
    assert run(base, model, *OUTS).exit_code == 0
    assert jsonl.read(Path("out.jsonl"), Generation) == rows
    assert run(generations, model, *OUTS).exit_code == 0
    student = jsonl.read(Path("out.jsonl"), Generation)
    assert [row.output for row in student] != [row.output for row in rows]
