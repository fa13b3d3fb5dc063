"""`alpacare fetch` of published weights: tiny, random, pickled in two shards, on a loopback Hub."""

import io
import json
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY
from hub_downloads import Hub, running_hub
from own_project import git, make_project
from test_fetch import environment

from alpacare.core.settings import read_yaml
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.response import Response
from alpacare.training.base_model import save_base_model
from alpacare.training.settings import Architecture, BaseModelSettings

ENTRY = """tiny:
  # a note that stays
  kind: weights
  repository: lab/tiny
  commit: null
  prompt: alpaca
  licence: for research
"""
SIZE = Architecture(hidden_size=16, layers=2, heads=2, vocab_size=300, context=128)
FOLDER = Path("models/published/tiny")


def pickled(value: Any) -> bytes:
    import torch

    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def make_model(folder: Path) -> dict[str, Any]:
    """A model and its weights, by name."""
    from safetensors.torch import load_file

    texts = {"instruction": "Say it.", "input": "", "output": "The heart has two atria."}
    row = Response(id="0" * 16, finish_reason="stop", model="m", request="r", **texts)
    prompt = StudentPrompt.choose("alpaca", REPOSITORY / "prompts/student")
    save_base_model(folder, [row], prompt, BaseModelSettings(architecture=SIZE, seed=0))
    return load_file(folder / "model.safetensors")


def as_published(folder: Path, weights: dict[str, Any]) -> dict[str, bytes]:
    """Its files as they were saved in 2023, with what else such a repository holds."""
    files = {path.name: path.read_bytes() for path in folder.glob("*.json")}
    where = {
        name: f"pytorch_model-0000{1 + number % 2}-of-00002.bin"
        for number, name in enumerate(weights)
    }
    for shard in set(where.values()):
        files[shard] = pickled({name: weights[name] for name in weights if where[name] == shard})
    index = {"metadata": {"total_size": 1}, "weight_map": where}
    files["pytorch_model.bin.index.json"] = json.dumps(index).encode()
    return files | {"training_args.bin": pickle.dumps(print), "logs/events.txt": b"x"}


def fetch(hub: Hub) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "alpacare.cli.main", "fetch", "tiny"]
    return subprocess.run(
        command, env=environment(hub), capture_output=True, text=True, check=False
    )


@pytest.fixture
def project(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_project(workspace / "project")
    monkeypatch.chdir(workspace / "project")
    Path("configs/datasets.yaml").write_text(ENTRY)
    return workspace


def test_pickled_weights_become_a_contestant_and_no_program_runs(project: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    weights = make_model(project / "model")
    with running_hub() as hub:
        hub.files = as_published(project / "model", weights)
        bad = hub.files | {"pytorch_model-00001-of-00002.bin": pickled(re.compile("x"))}
        hub.files, good = bad, hub.files
        refused = fetch(hub)
        assert "pytorch_model-00001-of-00002.bin: holds more than tensors" in refused.stderr
        assert (refused.returncode, refused.stderr.count("\n"), FOLDER.exists()) == (2, 1, False)
        came = {path.name for path in Path(".dvc/tmp/downloads/lab--tiny").iterdir()}
        assert came >= {"config.json", *(name for name in bad if name.startswith("pytorch"))}
        shutil.rmtree(".dvc/tmp/downloads")  # a real commit never has other files
        hub.files = good
        done = fetch(hub)
    assert done.returncode == 0, done.stderr
    assert {path.suffix for path in FOLDER.iterdir()} == {".json", ".safetensors"}
    model = AutoModelForCausalLM.from_pretrained(
        FOLDER, use_safetensors=True, trust_remote_code=False
    )
    made = model.state_dict()
    assert all(torch.equal(made[name], tensor) for name, tensor in weights.items())
    assert Path("configs/datasets.yaml").read_text() == ENTRY.replace("null", f'"{hub.newest}"')
    record = read_yaml(FOLDER.with_name("tiny.dvc"))
    assert (record["outs"][0]["remote"], record["meta"]["commit"]) == ("weights", hub.newest)
    settings = read_yaml(Path("prompts/local_models/published-tiny/settings.yaml"))
    assert settings == {"model": str(FOLDER), "revision": None, "prompt": "alpaca"}
    params = read_yaml(Path("params.yaml"))
    assert params["models"]["local"] == ["base", "published-tiny"]
    assert params["judgments"]["contestants"] == ["base", "published-tiny"]
    assert "models/published/tiny/" not in git(Path.cwd(), "status", "--short", "-uall")
    shutil.rmtree(FOLDER)
    again = fetch(hub)  # the Hub is gone
    assert "is tracked by DVC; if it is not here, `dvc pull" in again.stdout
