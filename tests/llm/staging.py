"""The stage `responses` in a process of its own, as a user or DVC starts it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from asking import MODEL
from conftest import REPOSITORY

from alpacare.records.task import row_id

OUTS = ("out.jsonl", "dropped.jsonl", "usage.json")


def start_stage(count: int, *options: str, **endpoint: Any) -> "subprocess.Popen[str]":
    """Start answering so many tasks in the current folder, with the environment as it is."""
    write_inputs(count, endpoint)
    out, dropped, usage = OUTS
    files = ["tasks.jsonl", out, "--dropped", dropped, "--usage", usage]
    prompt = ["--prompt", str(REPOSITORY / "prompts/responses")]
    return subprocess.Popen(
        [sys.executable, "-m", "alpacare.stages.responses", *files, *prompt, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def write_inputs(count: int, endpoint: dict[str, Any]) -> None:
    """Tasks, and a params.yaml with one server (JSON is YAML)."""
    rows = [json.dumps(task(f"Explain finding number {n}.")) for n in range(count)]
    Path("tasks.jsonl").write_text("".join(f"{row}\n" for row in rows))
    sampling = {"temperature": None, "presence_penalty": None, "max_tokens": 100}
    section = {"endpoint": "ours", "model": MODEL, **sampling, "retry_max_tokens": None}
    rest = {"extra": {}, "input_equals_output": True}
    params = {"endpoints": {"ours": endpoint}, "responses": {**section, **rest}}
    Path("params.yaml").write_text(json.dumps(params))


def task(instruction: str) -> dict[str, Any]:
    origin = {"request": "r", "index": 0, "seeds": []}
    view = {"topic": "Cardiology", "view": "patient", "difficulty": 1, "type": "chat"}
    text = {"id": row_id(instruction, ""), "instruction": instruction, "input": ""}
    return {**text, **view, **origin}
