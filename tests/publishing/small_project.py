"""A project of a few rows, as a pipeline leaves it in Git and DVC, made by hand."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from conftest import REPOSITORY, run
from ruamel.yaml import YAML

from alpacare.cli.publish import publish
from alpacare.compute.scratch import hash_files
from alpacare.core.settings import check, read_yaml
from alpacare.records.task import row_id
from alpacare.training.result import model_card
from alpacare.training.settings import CheckpointSettings
from alpacare.training.student_file import overlay

PLAIN = ("--to", "folder", "--out", "published", "--licence", "CC-BY-4.0")
SCORE = "metrics/scores/demo/all-rows/0/terse/overlap.json"
WEIGHTS = "models/checkpoint/all-rows/0"
_RUN = "${item.student}/${item.seed}"
_ANSWERS = f"data/generations/${{item.test}}/{_RUN}"
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
    "student_rows": (
        ["data/${sources.responses}.jsonl"],
        ["data/student_rows/${item.student}.jsonl"],
        [],
    ),
    "checkpoint": (
        ["data/student_rows/${item.student}.jsonl"],
        [f"models/checkpoint/{_RUN}"],
        [],
    ),
    "generations": (
        [f"models/checkpoint/{_RUN}"],
        [f"{_ANSWERS}.jsonl", f"{_ANSWERS}.json"],
        [],
    ),
    "scores": ([f"{_ANSWERS}.jsonl"], [], [f"metrics/scores/${{item.test}}/{_RUN}"]),
}
AXES = {"test": "${tests}", "student": "${students}", "seed": "${training_seeds}"}
PARAMS: dict[str, list[Any]] = {
    "filtered": ["filtered"],
    "checkpoint": ["checkpoint", {"students/${item.student}.yaml": None}],
    "generations": ["generations"],
}
RUNS = [(student, seed) for student in ("all-rows", "half-rows") for seed in (0, 1)]
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

    A checkpoint counts as trained on the rows that are there.
    """
    if "responses" in stages or "student_rows" in stages:
        write_student_rows(folder)
        stages = (*stages, "student_rows")
    for training in (folder / "models/checkpoint").glob("*/*/training.json"):
        if "checkpoint" in stages and "data" in (told := json.loads(training.read_text())):
            data = hash_files(folder / f"data/student_rows/{training.parents[1].name}.jsonl")
            training.write_text(json.dumps({**told, "data": data}))
    ok(folder, "dvc", "commit", "--force", "-q", *dict.fromkeys(stages))
    commit(folder)


def write_student_rows(folder: Path) -> None:
    """Have one student take all rows, and the other the first of them."""
    source = read_yaml(folder / "params.yaml")["sources"]["responses"]
    lines = (folder / f"data/{source}.jsonl").read_text().splitlines(keepends=True)
    (folder / "data/student_rows").mkdir(exist_ok=True)
    (folder / "data/student_rows/all-rows.jsonl").write_text("".join(lines))
    (folder / "data/student_rows/half-rows.jsonl").write_text(lines[0])


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
    ignored = ("data/*.jsonl", "data/generations/", "data/student_rows/", "models/", "published/")
    (folder / ".gitignore").write_text("".join(f"/{name}\n" for name in ignored))
    shutil.copytree(REPOSITORY / "students", folder / "students")
    (folder / "params.yaml").write_text((REPOSITORY / "params.yaml").read_text())
    for stage in ("seeds/medical", "seeds", "instructions", "filtered"):
        write_rows(folder / f"data/{stage}.jsonl", [{"stage": stage}])
    write_rows(folder / "data/responses.jsonl", [response(*task) for task in TASKS])
    write_student_rows(folder)
    for name in (
        "metrics/seeds.json",
        "metrics/llm_usage/instructions.json",
        "metrics/filtered.json",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text((REPOSITORY / name).read_text())
    for student, seed in RUNS:
        answers = folder / f"data/generations/demo/{student}/{seed}.jsonl"
        write_rows(answers, [{"stage": f"{student} {seed}"}])
        answers.with_suffix(".json").write_text('{"engine": "batched"}')
        shutil.copytree(
            REPOSITORY / f"metrics/scores/demo/{student}/{seed}",
            folder / f"metrics/scores/demo/{student}/{seed}",
        )
        _write_checkpoint(folder / "models/checkpoint", student, seed)


def _write_checkpoint(checkpoints: Path, student: str, seed: int) -> None:
    import numpy as np
    from safetensors.numpy import save_file

    folder, top = checkpoints / student / str(seed), checkpoints.parents[1]
    (folder / "prompt").mkdir(parents=True)
    (folder / "prompt/form.txt").write_text("alpaca\n")
    weights = {"weight": np.arange(400, dtype=np.float32) + seed}
    save_file(weights, folder / "model.safetensors")  # type: ignore[no-untyped-call]
    shared = read_yaml(REPOSITORY / "params.yaml")["checkpoint"]
    own = read_yaml(REPOSITORY / f"students/{student}.yaml")
    settings = check(overlay(shared, own), CheckpointSettings, "")
    training = {
        "student": student,
        "seed": seed,
        "settings": settings.model_dump(),
        "data": hash_files(top / f"data/student_rows/{student}.jsonl"),
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
    def few_cells(params: Any) -> None:
        params["judgments"] |= {"contestants": [], "references": ["terse"], "judges": ["overlap"]}

    edit_yaml(folder / "params.yaml", few_cells)
    stages = {name: _stage(name, *parts) for name, parts in STAGES.items()}
    YAML().dump({"stages": stages}, folder / "dvc.yaml")


def _stage(name: str, deps: list[str], outs: list[str], kept: list[str]) -> dict[str, Any]:
    stage: dict[str, Any] = {
        "cmd": "true",
        "deps": deps,
        "params": PARAMS.get(name, []),
        "outs": [*outs, *({path: {"cache": False}} for path in kept)],
    }
    places = str([deps, outs, kept])
    axes = {axis: values for axis, values in AXES.items() if f"item.{axis}" in places}
    return {"matrix": axes, **stage} if axes else stage
