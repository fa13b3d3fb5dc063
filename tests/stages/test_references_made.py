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
from alpacare.core.settings import read_yaml
from alpacare.records.generation import Generation
from alpacare.records.task import TestTask, row_id
from alpacare.stages.base_generations import main as base
from alpacare.stages.generation_statistics import main as generation_statistics
from alpacare.stages.generations import main as generations
from alpacare.stages.local_references import main as local
from alpacare.stages.references import main as references

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
    folder = workspace / "prompts/gpt-4o"
    return Path(shutil.copytree(REPOSITORY / "prompts/references/gpt-4o", folder))


API = ["tests.jsonl", "references", "--prompts", "prompts"]


def set_server(server: Running) -> None:
    endpoint = {"base_url": server.url, "api_key": "OPENAI_API_KEY"}
    section = {"written": [], "api": ["gpt-4o"], "local": []}
    params = {"endpoints": {"openai": endpoint}, "references": section}
    Path("params.yaml").write_text(json.dumps(params))


def test_a_model_is_asked_once_and_its_answers_are_kept_by_test(
    server: Running, tests_file: Path, reference: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_server(server)
    refused = run(references, *API)
    assert refused.exit_code == 2
    assert "3 of 3 answers are not in the ledger" in refused.output
    assert not Path("references").exists()
    monkeypatch.setenv("BUDGET", "1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    done = run(references, *API)
    assert done.exit_code == 0, done.output
    rows = jsonl.read(Path("references/gpt-4o.jsonl"), Generation)
    assert [row.instruction for row in rows] == ASKED
    assert {row.generator for row in rows} == {"gpt-4o"}
    assert len({row.output for row in rows}) == 3
    assert all(row.tokens for row in rows)
    how = json.loads(Path("references/gpt-4o.json").read_text())
    assert (how["engine"], how["calls"]) == ("api", 3)
    assert how["dollars"] > 0
    calls = server.state()["calls"]
    monkeypatch.delenv("BUDGET")
    assert run(references, *API).exit_code == 0
    assert server.state()["calls"] == calls
    for suffix in (".jsonl", ".json"):
        shutil.copy(f"references/gpt-4o{suffix}", f"ours{suffix}")
    Path("none").mkdir()
    files = ["ours.jsonl", "ours.jsonl", "references", "none", "metrics.json"]
    assert run(generation_statistics, *files).exit_code == 0
    metrics = json.loads(Path("metrics.json").read_text())["references"]["gpt-4o"]
    assert (metrics["answers"], metrics["engine"]) == (3, "api")
    assert metrics["dollars"] == how["dollars"]


def test_a_reference_with_a_wrong_setting_is_named(
    server: Running, tests_file: Path, reference: Path
) -> None:
    set_server(server)
    path = reference / "settings.yaml"
    path.write_text(path.read_text().replace("temperature: 0 ", "temprature: 0 "))
    done = run(references, *API)
    assert done.exit_code == 2
    assert "gpt-4o/settings.yaml: temprature: unknown key; did you mean 'temperature'?" in (
        done.output
    )


@pytest.fixture
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("model") / "checkpoint", chat=True)


LOCAL = ["tests.jsonl", "local", "--models", "models", "--prompt", REPOSITORY / "prompts/student"]


def write_local(*names: str, **settings: Any) -> None:
    for name in names:
        Path("models", name).mkdir(parents=True, exist_ok=True)
        Path("models", name, "settings.yaml").write_text(json.dumps(settings))
    params = read_yaml(Path("params.yaml"))
    params["references"] = {"written": [], "api": [], "local": names}
    Path("params.yaml").write_text(json.dumps(params))


def test_another_model_answers_by_the_students_rules(
    model: Path, params: Path, tests_file: Path
) -> None:
    """The same weights and the same prompt give the student's own answers, under another name."""
    write_local("other", model=str(model), revision=None, prompt="chat")
    done = run(local, *LOCAL)
    assert done.exit_code == 0, done.output
    rows = jsonl.read(Path("local/other.jsonl"), Generation)
    assert run(generations, model, *OUTS).exit_code == 0
    student = jsonl.read(Path("out.jsonl"), Generation)
    assert [row.model_copy(update={"generator": "student"}) for row in rows] == student
    assert {row.generator for row in rows} == {"other"}


def test_a_model_that_has_answered_does_not_run_again_beside_a_new_one(
    model: Path, params: Path, tests_file: Path
) -> None:
    """DVC deletes the folder before the stage runs; what the first said is in its scratch."""
    write_local("one", model=str(model), revision=None, prompt="chat")
    assert run(local, *LOCAL).exit_code == 0
    before = Path("local/one.jsonl").read_bytes()
    scratch = {p: p.stat().st_mtime_ns for p in Path(".scratch").rglob("*.jsonl")}
    assert scratch
    shutil.rmtree("local")
    write_local("one", "two", model=str(model), revision=None, prompt="chat")
    assert run(local, *LOCAL).exit_code == 0
    assert Path("local/one.jsonl").read_bytes() == before
    assert {p: p.stat().st_mtime_ns for p in scratch} == scratch
    assert Path("local/two.jsonl").exists()


def test_a_model_of_the_hub_needs_a_commit(params: Path, tests_file: Path) -> None:
    write_local("other", model="some/model", revision="main", prompt="chat")
    done = run(local, *LOCAL)
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
