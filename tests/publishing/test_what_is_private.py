"""What must not be published: folders of somebody's machine, keys, other settings than recorded."""

import json
import shutil
from pathlib import Path

import pytest
from conftest import REPOSITORY, run
from pyarrow import parquet
from small_project import (
    PLAIN,
    TASKS,
    WEIGHTS,
    edit_yaml,
    environment,
    ok,
    published,
    recorded,
    refused,
    response,
    write_rows,
    write_student_rows,
)

from alpacare.cli.publish import publish
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.response import Response
from alpacare.training.base_model import save_base_model
from alpacare.training.settings import Architecture, BaseModelSettings

pytest_plugins = ["project_fixtures"]

PERSON = "Jane Roe"


def write_base(folder: Path) -> None:
    """A pretrained model of a few thousand weights."""
    shape = {"hidden_size": 16, "layers": 1, "heads": 2, "vocab_size": 300, "context": 512}
    settings = BaseModelSettings(architecture=Architecture.model_validate(shape), seed=0)
    rows = [Response.model_validate(response("Say.", "", "the heart has two atria"))]
    save_base_model(
        folder, rows, StudentPrompt.choose("alpaca", REPOSITORY / "prompts/student"), settings
    )
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config["name_or_path"] = f"/home/{PERSON}/tokenizer"  # as older versions wrote it
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


@pytest.fixture
def study(made_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: a project below a folder with a person's name, and adapters trained there
    on a base and answers of models that are folders there, too."""
    home = tmp_path / PERSON
    folder = home / "study"
    shutil.copytree(made_once, folder)
    monkeypatch.chdir(folder)
    for name, value in {**environment(folder), "HOME": str(home)}.items():
        monkeypatch.setenv(name, value)
    write_base(home / "models/llama")
    rows = [response(*task) | {"model": f"{home}/models/teacher"} for task in TASKS]
    write_rows(folder / "data/responses.jsonl", rows)
    write_student_rows(folder)
    lora = {"rank": 2, "alpha": 4, "dropout": 0.0, "targets": ["q_proj"]}
    own = {"base": f"{home}/models/llama", "lora": lora, "optimizer": {"max_steps": 2}}
    edit_yaml(folder / "students/all-rows.yaml", lambda student: student.update(own))
    rows_file = "data/student_rows/all-rows.jsonl"
    stage = ["python", "-m", "alpacare.stages.checkpoint", "students/all-rows.yaml", rows_file]
    stage += [WEIGHTS, "--seed", "0", "--base-model", "models/base_model"]
    stage += ["--prompt", str(REPOSITORY / "prompts/student")]
    stage += ["--hardware", str(REPOSITORY / "configs/accelerate")]
    shutil.rmtree(folder / WEIGHTS)
    ok(folder, *stage)
    recorded(folder)
    return folder


def test_a_published_study_names_nobodys_folders(study: Path) -> None:
    published(*PLAIN)
    files = [path for path in (study / "published").rglob("*") if path.is_file()]
    assert study / "published/model/adapter/adapter_config.json" in files
    for path in files:
        text = path.read_bytes()
        if path.suffix == ".parquet":
            text = str(parquet.read_table(path).to_pylist()).encode()
        for trace in (PERSON, str(study.parents[1])):
            assert trace.encode() not in text, path
    card = (study / "published/model/README.md").read_text()
    assert "| `llama`, a folder with the SHA-256 `" in card
    assert "base_model" not in card.split("---\n")[1]
    assert "weights that start from llama: its licence" in card
    assert "answers by teacher: the terms" in card


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("training.json", '{{"base": "{home}/llama"}}'),
        ("config.json", '{{"_name_or_path": "/home/somebody/llama"}}'),
        ("notes.txt", "from C:\\Users\\somebody\\llama"),
    ],
)
def test_a_folder_of_a_machine_beside_the_weights_is_refused(
    project: Path, file: str, text: str
) -> None:
    path = project / WEIGHTS / file
    before = json.loads(path.read_text()) if path.exists() else {}
    text = text.format(home=project)
    path.write_text(text if file == "notes.txt" else json.dumps({**before, **json.loads(text)}))
    recorded(project, "checkpoint")
    assert f"{WEIGHTS}/{file}:1: holds '" in refused(*PLAIN)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [("Look in /home/user/scans, or on a root/crown.", True), ("Look in {home}/scans.", False)],
)
def test_rows_may_speak_of_folders_but_not_of_those_here(
    project: Path, text: str, allowed: bool
) -> None:
    row = response("Where?", "", text.format(home=project))
    write_rows(project / "data/responses.jsonl", [row])
    recorded(project, "responses", "checkpoint")
    if allowed:
        assert run(publish, *PLAIN).exit_code == 0
    else:
        assert f"train.jsonl:1: holds '{project}'" in refused(*PLAIN)


def test_a_home_that_is_the_root_is_in_no_address(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/")
    published(*PLAIN)


def test_a_base_behind_a_link_is_named_by_the_link(project: Path) -> None:
    """What the link leads to may change, and says nothing of the weights."""
    models = project.parent / "models"
    (models / "llama-7b").mkdir(parents=True)
    (models / "llama-8b").mkdir()
    link = models / "current"
    link.symlink_to("llama-7b")
    edit_yaml(
        project / "students/all-rows.yaml",
        lambda student: student.update(base=str(link)),
    )
    training = project / WEIGHTS / "training.json"
    told = json.loads(training.read_text()) | {"base_sha256": "0" * 64}
    told["settings"]["base"] = "current"
    training.write_text(json.dumps(told))
    recorded(project, "checkpoint")
    link.unlink()
    link.symlink_to("llama-8b")
    published(*PLAIN)


def test_weights_made_with_other_settings_than_recorded_are_refused(project: Path) -> None:
    """DVC records settings as they are when a stage ends: they may have been others."""
    training = project / WEIGHTS / "training.json"
    told = json.loads(training.read_text())
    told["settings"]["optimizer"]["learning_rate"] = 5e-5
    training.write_text(json.dumps(told))
    recorded(project, "checkpoint")
    line = refused(*PLAIN, "--student", "all-rows", "--seed", "0")
    assert "made with optimizer.learning_rate 5e-05, but dvc.lock says 0.004" in line
    assert "run `dvc repro --single-item --force checkpoint@all-rows-0`" in line


def test_scores_of_answers_made_with_other_settings_are_left_out(project: Path) -> None:
    run_file = project / "data/generations/demo/all-rows/0.json"
    for temperature, told in ((0.7, ""), (0.5, "temperature 0.5, but dvc.lock says 0.7")):
        run_file.write_text(json.dumps({"engine": "batched", "temperature": temperature}))
        recorded(project, "generations", "scores")
        output = run(publish, *PLAIN).output
        assert ("note: left out of the card" in output) == bool(told)
        assert told in output
        again = "run `dvc repro --single-item --force generations@demo-all-rows-0`"
        assert (again in output) == bool(told)
