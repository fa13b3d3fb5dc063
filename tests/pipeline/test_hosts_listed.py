"""`alpacare check` and `quote` list where text goes; `check` refuses what `hosts` does not name."""

import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import REPOSITORY, run

from alpacare.cli.main import main

MODELS = {
    "  endpoint: recordings": "  endpoint: openai",
    "  model: demo-teacher": "  model: gpt-4o-mini",
    "  api: []": "  api: [gpt-4o]",
    "verifiers: []": "verifiers: [gpt-4o]",
    "categories: []": "categories: [gpt-4o]",
    "judges: [overlap, longest]": "judges: [overlap, alpacare, self-hosted]",
}
DATA = ("data/seeds", "data/recordings", "data/tests")
CLINIC = "https://llm.our-clinic.org/v1"


@pytest.fixture
def project(params: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The checked-in project, where every paid stage asks a model."""
    monkeypatch.setenv("BUDGET", "100")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    for name in ("dvc.yaml", "prompts", "configs", "students", *DATA):
        (params.parent / name).parent.mkdir(exist_ok=True)
        (params.parent / name).symlink_to(REPOSITORY / name)
    change(params, MODELS)
    return params


def change(params: Path, changes: dict[str, str]) -> None:
    text = params.read_text()
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    params.write_text(text)


def said(*words: str) -> str:
    result = run(main, *words)
    assert result.exit_code == 0, result.output
    return result.output


def refused() -> str:
    result = run(main, "check")
    assert result.exit_code == 2, result.output
    assert len(result.output.strip().splitlines()) == 1
    return result.output


@pytest.mark.parametrize("command", ["check", "quote"])
def test_each_file_is_listed_with_host_and_purpose(project: Path, command: str) -> None:
    text = said(command)
    lines = text[text.index("what leaves this machine:") :].splitlines()[1:]
    assert max(map(len, lines)) <= 80
    assert lines == [
        "data/seeds.jsonl -> api.openai.com (instructions)",
        "data/filtered.jsonl -> api.openai.com (responses)",
        "data/responses.jsonl -> api.openai.com (verifier gpt-4o; sorter gpt-4o)",
        "data/tests/demo.jsonl -> api.openai.com (model gpt-4o)",
        "data/generations/demo -> api.openai.com (judge alpacare)",
        "data/local_generations/demo -> api.openai.com (judge alpacare)",
        "data/model_generations/demo -> api.openai.com (judge alpacare)",
        "data/generations/demo -> localhost (judge self-hosted)",
        "data/local_generations/demo -> localhost (judge self-hosted)",
        "data/model_generations/demo -> localhost (judge self-hosted)",
    ]


def test_the_embedded_default_sends_nothing(project: Path) -> None:
    change(project, {new: old for old, new in MODELS.items()})
    change(project, {"hosts: null": "hosts: []"})
    assert "no text leaves this machine" in said("check")


def test_every_use_must_be_of_a_named_host(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(project, {"hosts: null": "hosts: [llm.our-clinic.org]"})
    assert "'api.openai.com' (data/seeds.jsonl, for instructions)" in refused()
    monkeypatch.setenv("OPENAI_BASE_URL", CLINIC)
    assert "'localhost' (data/generations/demo, for judge self-hosted)" in refused()
    change(project, {", self-hosted]": "]"})
    assert "data/seeds.jsonl -> llm.our-clinic.org" in said("check")
    change(project, {"servers: []": "servers: [self-hosted]", "engines: [batched]": "engines: []"})
    assert "'localhost' (data/tests/demo.jsonl, for the students)" in refused()


@pytest.mark.parametrize(
    ("tracker", "address", "host"),
    [
        ("wandb", {}, "api.wandb.ai"),
        ("wandb", {"WANDB_BASE_URL": "https://wandb.elsewhere.org"}, "wandb.elsewhere.org"),
        ("mlflow", {"MLFLOW_TRACKING_URI": "http://elsewhere:5000"}, "elsewhere"),
        ("clearml", {}, "a host unknown here"),
    ],
)
def test_trackers_count_too(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    tracker: str,
    address: dict[str, str],
    host: str,
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", CLINIC)
    for name, value in address.items():
        monkeypatch.setenv(name, value)
    change(
        project,
        {
            "hosts: null": "hosts: [llm.our-clinic.org, localhost]",
            "report_to: []": f"report_to: [{tracker}]",
        },
    )
    assert f"hosts: '{host}' (" in refused()


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("s3://lab/a", "s3.amazonaws.com"),
        ("/mnt/team/a", None),
    ],
)
def test_remotes_count_too(
    project: Path, monkeypatch: pytest.MonkeyPatch, url: str, host: str | None
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", CLINIC)
    subprocess.run(["git", "init", "-q"], check=True)
    shutil.copytree(REPOSITORY / ".dvc", ".dvc", ignore=shutil.ignore_patterns("tmp", "cache"))
    with Path(".dvc/config").open("a") as config:
        config.write(f"['remote \"storage\"']\n    url = {url}\n")
    assert (f"paid answers -> {host} (alpacare push, storage)" in said("check")) == bool(host)
    change(project, {"hosts: null": "hosts: [llm.our-clinic.org, localhost]"})
    if host:
        assert f"hosts: '{host}' (data, weights, paid answers, for alpacare push" in refused()
    else:
        said("check")
