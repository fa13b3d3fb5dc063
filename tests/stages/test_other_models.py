"""Other models' answers that are made here: asked through an API, or run here, as the base is."""

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
from alpacare.stages.generations import main as generations
from alpacare.stages.local_generations import main as local
from alpacare.stages.model_generations import main as model_generations

ASKED = ["Explain fever.", "Name a vitamin.", "Why rest?"]
OUTS = ["tests.jsonl", "out.jsonl", "--run", "run.json"]


@pytest.fixture
def tests_file(workspace: Path) -> Path:
    rows = [TestTask(id=row_id(i, ""), instruction=i, input="") for i in ASKED]
    jsonl.write(workspace / "tests.jsonl", rows)
    return workspace / "tests.jsonl"


@pytest.fixture
def shipped(workspace: Path) -> Path:
    """The model that the project ships, asked of the server on loopback."""
    folder = workspace / "prompts/gpt-4o"
    return Path(shutil.copytree(REPOSITORY / "prompts/models/gpt-4o", folder))


API = ["tests.jsonl", "models", "--prompts", "prompts"]


def set_server(server: Running) -> None:
    endpoint = {"base_url": server.url, "api_key": "OPENAI_API_KEY"}
    section = {"written": [], "api": ["gpt-4o"], "local": []}
    params = {"endpoints": {"openai": endpoint}, "models": section}
    Path("params.yaml").write_text(json.dumps(params))


def test_a_model_is_asked_once_and_its_answers_are_kept_by_test(
    server: Running, tests_file: Path, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_server(server)
    refused = run(model_generations, *API)
    assert refused.exit_code == 2
    assert "3 of 3 answers are not in the ledger" in refused.output
    assert not Path("models").exists()
    monkeypatch.setenv("BUDGET", "1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    done = run(model_generations, *API)
    assert done.exit_code == 0, done.output
    rows = jsonl.read(Path("models/gpt-4o.jsonl"), Generation)
    assert [row.instruction for row in rows] == ASKED
    assert {row.generator for row in rows} == {"gpt-4o"}
    assert len({row.output for row in rows}) == 3
    assert all(row.tokens for row in rows)
    how = json.loads(Path("models/gpt-4o.json").read_text())
    assert (how["engine"], how["calls"]) == ("api", 3)
    assert how["dollars"] > 0
    calls = server.state()["calls"]
    monkeypatch.delenv("BUDGET")
    assert run(model_generations, *API).exit_code == 0
    assert server.state()["calls"] == calls
    task = TestTask(id=row_id("Sell it.", ""), instruction="Sell it.", input="")
    jsonl.write(tests_file, [task])
    server.configure(message={"content": None, "refusal": "I can't help with that."})
    monkeypatch.setenv("BUDGET", "1")
    assert run(model_generations, *API).exit_code == 0
    (row,) = jsonl.read(Path("models/gpt-4o.jsonl"), Generation)
    assert (row.output, row.finish_reason) == ("I can't help with that.", "stop")


def test_a_model_with_a_wrong_setting_is_named(
    server: Running, tests_file: Path, shipped: Path
) -> None:
    set_server(server)
    path = shipped / "settings.yaml"
    path.write_text(path.read_text().replace("temperature: 0 ", "temprature: 0 "))
    done = run(model_generations, *API)
    assert done.exit_code == 2
    assert "gpt-4o/settings.yaml: temprature: unknown key; did you mean 'temperature'?" in (
        done.output
    )


@pytest.fixture
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("model") / "checkpoint", chat=True)


LOCAL = [
    *("tests.jsonl", "local", "--models", "models", "--base-model", "base_model"),
    *("--prompt", REPOSITORY / "prompts/student"),
]


def write_local(*names: str, **settings: Any) -> None:
    for name in names:
        Path("models", name).mkdir(parents=True, exist_ok=True)
        Path("models", name, "settings.yaml").write_text(json.dumps(settings))
    params = read_yaml(Path("params.yaml"))
    params["models"] = {"written": [], "api": [], "local": names}
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


def test_all_are_looked_at_before_the_first_answers(
    model: Path, params: Path, tests_file: Path
) -> None:
    write_local("one", "two", model=str(model), revision=None, prompt="chat")
    Path("adapter").mkdir()
    Path("adapter/adapter_config.json").write_text("{}")
    two = {"model": "adapter", "revision": None, "prompt": "chat"}
    Path("models/two/settings.yaml").write_text(json.dumps(two))
    refused = run(local, *LOCAL)
    assert refused.exit_code == 2
    assert "models/two/settings.yaml: adapter: holds an adapter" in refused.output
    assert not Path(".scratch").exists()


def test_random_is_the_base_model(model: Path, params: Path, tests_file: Path) -> None:
    """Its answers are those of the same folder by its name."""
    write_local("base", model="random", revision=None, prompt="alpaca")
    refused = run(local, *LOCAL)
    assert refused.exit_code == 2
    assert "base_model: no model here; run `dvc repro base_model`" in refused.output
    shutil.copytree(model, "base_model")
    assert run(local, *LOCAL).exit_code == 0
    base = jsonl.read(Path("local/base.jsonl"), Generation)
    write_local("other", model="base_model", revision=None, prompt="alpaca")
    assert run(local, *LOCAL).exit_code == 0
    other = jsonl.read(Path("local/other.jsonl"), Generation)
    assert [row.model_copy(update={"generator": "other"}) for row in base] == other
