"""The stage `filtered` as others script it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conftest import run
from tasks import make_instruction

from alpacare.core import jsonl
from alpacare.stages.filtered import main

FILES = ("in.jsonl", "out.jsonl", "--dropped", "d.jsonl", "--metrics", "m.json")
TEXTS = [
    "explain why the heart beats faster when a healthy person runs",
    "name the bones of the hand",
    "explain why the heart beats faster when a healthy person climbs",
    "explain why the heart beats slower when a healthy person climbs",
]


def configure(**settings: Any) -> None:
    """Write a params.yaml (JSON is YAML)."""
    section = {"rouge_l": 0.7, "keep": "first", **settings}
    Path("params.yaml").write_text(json.dumps({"filtered": section}))


def write_tasks(path: str, tasks: Sequence[str | tuple[str, str]]) -> None:
    pairs = [(task, "") if isinstance(task, str) else task for task in tasks]
    jsonl.write(Path(path), [make_instruction(*pair) for pair in pairs])


def filtered(*options: str) -> tuple[list[str], list[dict[str, Any]], dict[str, Any]]:
    result = run(main, *FILES, *options)
    assert result.exit_code == 0, result.output
    kept, dropped = (
        [json.loads(line) for line in Path(name).read_text().splitlines()]
        for name in ("out.jsonl", "d.jsonl")
    )
    metrics = json.loads(Path("m.json").read_text())
    assert len(kept) + len(dropped) == metrics["instructions"]
    assert len(dropped) == sum(metrics["dropped"].values())
    return [row["instruction"] for row in kept], dropped, metrics
