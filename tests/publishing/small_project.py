"""A project of a few rows, as a pipeline leaves it in Git and DVC, made by hand."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from conftest import REPOSITORY, run
from ruamel.yaml import YAML

from alpacare.cli.publish import publish
from alpacare.compute.scratch import hash_files
from alpacare.core.settings import read_yaml
from alpacare.records.task import row_id
from alpacare.training.result import model_card

PLAIN = ("--to", "folder", "--out", "published", "--licence", "CC-BY-4.0")
SCORE = "metrics/scores/demo/terse/overlap.json"
# each stage: what it reads, what DVC keeps of it, what Git keeps
STAGES: dict[str, tuple[list[str], list[str], list[str]]] = {
    "seeds": (["data/seeds/medical.jsonl"], ["data/seeds.jsonl"], ["metrics/seeds.json"]),
    "instructions": (["data/seeds.jsonl"], ["data/instructions.jsonl"], []),
    "llm_usage": (
        ["data/instructions.jsonl"],
        [],
        ["metrics/llm_usage/instructions.json"],
    ),
    "filtered": (["data/instructions.jsonl"], ["data/filtered.jsonl"], ["metrics/filtered.json"]),
    "responses": (["data/filtered.jsonl"], ["data/responses.jsonl"], []),
    "checkpoint": (["data/responses.jsonl"], ["models/checkpoint"], []),
    "generations": (["models/checkpoint"], ["data/generations/demo.jsonl"], []),
    "scores": (["data/generations/demo.jsonl"], [], ["metrics/scores/demo"]),
}
TASKS = [
    ("Name the chambers of the heart.", "", "Two atria and two ventricles."),
    ("Put this in plain words.", "Take b.i.d.", 'Take it "twice" a day.\nIn the morning, say.'),
    ("What is 37 °C in °F?", "", "98.6 °F: normal."),
]


def environment(folder: Path) -> dict[str, str]:
    """No settings of the machine's user; DVC's own files beside the project."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("HF_")},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DVC_SITE_CACHE_DIR": str(folder.parent / "site-cache"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "test",
        "GIT_AUTHOR_EMAIL": "test@localhost",
        "GIT_COMMITTER_NAME": "test",
        "GIT_COMMITTER_EMAIL": "test@localhost",
        "HF_HOME": str(folder.parent / "hf"),
    }


def ok(folder: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def response(instruction: str, input: str, output: str) -> dict[str, str]:
    return {
        "id": row_id(instruction, input),
        "instruction": instruction,
        "input": input,
        "output": output,
        "finish_reason": "stop",
        "model": "some-teacher",
        "request": "ab" * 32,
    }


def build(folder: Path) -> None:
    """Make the project; its one commit holds all that Git is to hold."""
    folder.mkdir()
    ok(folder, "git", "init", "-q", "-b", "main")
    ok(folder, "dvc", "init", "-q")
    _write_files(folder)
    _write_pipeline(folder)
    ok(folder, "dvc", "commit", "--force", "-q")
    commit(folder)


def commit(folder: Path) -> None:
    ok(folder, "git", "add", "--all")
    ok(folder, "git", "commit", "-q", "-m", "a state")


def recorded(folder: Path, *stages: str) -> None:
    """Have DVC record the present files as the stages' outputs, and Git commit them.

    A checkpoint counts as trained on the data that is there.
    """
    training = folder / "models/checkpoint/training.json"
    if "checkpoint" in stages and "data" in (told := json.loads(training.read_text())):
        (source,) = read_yaml(folder / "dvc.yaml")["stages"]["checkpoint"]["deps"]
        data = hash_files(folder / source)
        training.write_text(json.dumps({**told, "data": data}))
    ok(folder, "dvc", "commit", "--force", "-q", *stages)
    commit(folder)


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def edit_yaml(path: Path, edit: Any) -> None:
    yaml = YAML()
    document = yaml.load(path)
    edit(document)
    yaml.dump(document, path)


def refused(*arguments: object) -> str:
    """The one line of a refusal, after which nothing is written."""
    done = run(publish, *arguments)
    assert done.exit_code == 2, done.output
    line = done.stderr.strip()
    assert "\n" not in line
    assert not Path("published").exists()
    return str(line)


def published(*arguments: object) -> str:
    done = run(publish, *arguments, "--yes")
    assert done.exit_code == 0, done.output
    return str(done.output)


def _write_files(folder: Path) -> None:
    (folder / ".gitignore").write_text("/data/*.jsonl\n/data/generations/\n/models/\n/published/\n")
    for stage in ("seeds/medical", "seeds", "instructions", "filtered", "generations/demo"):
        write_rows(folder / f"data/{stage}.jsonl", [{"stage": stage}])
    write_rows(folder / "data/responses.jsonl", [response(*task) for task in TASKS])
    for name in (
        "metrics/seeds.json",
        "metrics/llm_usage/instructions.json",
        "metrics/filtered.json",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text((REPOSITORY / name).read_text())
    (folder / SCORE).parent.mkdir(parents=True)
    (folder / SCORE).write_text((REPOSITORY / SCORE).read_text())
    _write_checkpoint(folder / "models/checkpoint")


def _write_checkpoint(folder: Path) -> None:
    import numpy as np
    from safetensors.numpy import save_file

    (folder / "prompt").mkdir(parents=True)
    (folder / "prompt/form.txt").write_text("alpaca\n")
    weights = {"weight": np.arange(400, dtype=np.float32)}
    save_file(weights, folder / "model.safetensors")  # type: ignore[no-untyped-call]
    training = {
        "settings": read_yaml(REPOSITORY / "params.yaml")["checkpoint"],
        "data": hash_files(folder.parents[1] / "data/responses.jsonl"),
        "base_sha256": None,
        "teachers": ["some-teacher"],
        **dict.fromkeys(("examples", "held_out", "truncated", "dropped", "tokens"), 3),
        **dict.fromkeys(
            ("response_tokens", "sequences", "sequences_per_step", "tokens_per_step"), 3
        ),
    }
    (folder / "training.json").write_text(json.dumps(training))
    (folder / "README.md").write_text(model_card(training, [{"loss": 2.0}, {"loss": 1.0}]))
    (folder / "versions.json").write_text('{"python": "3.11.0", "torch": "2.13.0"}')


def _write_pipeline(folder: Path) -> None:
    (folder / "params.yaml").write_text((REPOSITORY / "params.yaml").read_text())

    def one_cell(params: Any) -> None:
        params["judgments"] = {
            "references": ["terse"],
            "judges": ["overlap"],
            "local_judges": [],
        }

    edit_yaml(folder / "params.yaml", one_cell)
    stages = {
        name: {
            "cmd": "true",
            "deps": deps,
            "params": [name] if name in ("filtered", "checkpoint") else [],
            "outs": [*outs, *({path: {"cache": False}} for path in kept)],
        }
        for name, (deps, outs, kept) in STAGES.items()
    }
    artifacts = {"checkpoint": {"path": "models/checkpoint", "type": "model"}}
    YAML().dump({"stages": stages, "artifacts": artifacts}, folder / "dvc.yaml")
