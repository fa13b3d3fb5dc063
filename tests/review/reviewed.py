"""A project whose answers are there to be reviewed, and reviewers who say what they are told."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from click.testing import Result
from conftest import REPOSITORY, run

from alpacare.cli.review import review
from alpacare.core import jsonl
from alpacare.records.generation import Generation
from alpacare.records.judgment import Judgment, Verdict
from alpacare.records.task import TestTask, row_id

SCRIPT = "<script>document.title = 'broken into'</script></script><img src=x onerror=alert(1)>"


def make_project(
    count: int = 12, students: Sequence[str] = ("mine",), seeds: Sequence[int] = (0,)
) -> None:
    """Write tasks of three difficulties, both sides' answers and one judge's verdicts.

    The last student is the one that the others meet head to head.
    """
    text = (REPOSITORY / "params.yaml").read_text()
    for old, new in (
        ("students: [all-rows, half-rows]", f"students: {list(students)}"),
        ("head_to_head: half-rows", f"head_to_head: {students[-1]}"),
        ("training_seeds: [0, 1]", f"training_seeds: {list(seeds)}"),
        ("written: [thorough, terse]", "written: [terse]"),
        ("local: [base]", "local: []"),
        ("contestants: [base]", "contestants: []"),
        ("  references: [thorough, terse, base]", "  references: [terse]"),
        ("  judges: [overlap, longest]", "  judges: [overlap]"),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    Path("params.yaml").write_text(text)
    Path("dvc.yaml").write_text((REPOSITORY / "dvc.yaml").read_text())
    tasks = [make_task(n) for n in range(count)]
    jsonl.write(Path("data/tests/demo.jsonl"), tasks)
    theirs = [answer(task, "Theirs", "terse") for task in tasks]
    jsonl.write(Path("data/model_generations/demo/terse.jsonl"), theirs)
    for student, seed in product(students, seeds):
        said = "Mine" if len(students) * len(seeds) == 1 else f"{student} {seed}"
        ours = [answer(task, said, student) for task in tasks]
        jsonl.write(Path(f"data/generations/demo/{student}/{seed}.jsonl"), ours)
        for reference in ("terse", *students[-1:]):
            if reference != student:
                verdicts: list[Verdict] = ["model" if n % 3 else "reference" for n in range(count)]
                judge(f"{student}/{seed}/{reference}", verdicts)


def make_task(number: int) -> TestTask:
    instruction, input = f"Explain case {number}.", SCRIPT if number == 0 else ""
    return TestTask(
        id=row_id(instruction, input),
        instruction=instruction,
        input=input,
        type="chat",
        difficulty=1 + number % 3,
    )


def answer(task: TestTask, text: str, generator: str) -> Generation:
    return Generation(
        id=task.id,
        instruction=task.instruction,
        input=task.input,
        output=f"{text}: {SCRIPT} {task.instruction}",
        generator=generator,
        finish_reason="stop",
    )


def judge(pair: str, verdicts: list[Verdict]) -> None:
    rows = [
        Judgment(id=make_task(n).id, order=order, verdict=verdict, raw="", request="")
        for n, verdict in enumerate(verdicts)
        for order in ("model_first", "reference_first")  # type: ignore[attr-defined]
    ]
    jsonl.write(Path(f"data/judgments/demo/{pair}/overlap.jsonl"), rows)


def draw(*options: object) -> Result:
    done = run(review, "demo", "terse", *options)
    assert done.exit_code == 0, done.output
    return done


def read_key() -> dict[str, Any]:
    (path,) = Path("data/reviews/keys").glob("*.json")
    key: dict[str, Any] = json.loads(path.read_text())
    return key


def export(
    key: Mapping[str, Any], reviewer: str, verdicts: Mapping[str, Mapping[str, Verdict]]
) -> str:
    """Write what the page would, for a reviewer who prefers these sides; by item and criterion."""
    sides = {item["id"]: item["a"] for item in key["items"]}
    head = {"sample": key["sample"], "reviewer": reviewer, "items": len(sides)}
    rows = [
        {
            "id": id,
            "verdicts": {
                criterion: "tie" if verdict == "tie" else "a" if verdict == sides[id] else "b"
                for criterion, verdict in said.items()
            },
            "comment": "",
        }
        for id, said in verdicts.items()
    ]
    return sign([head, *rows])


def sign(rows: list[dict[str, Any]]) -> str:
    """Close an export with its checksum."""
    body = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    end = {"end": len(rows) - 1, "sha256": hashlib.sha256(body.encode()).hexdigest()}
    return body + json.dumps(end) + "\n"


def give_back(name: str, text: str) -> Path:
    path = Path(f"data/reviews/{name}.jsonl")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path
