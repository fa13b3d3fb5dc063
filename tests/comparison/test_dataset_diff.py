"""`alpacare diff --data`: rows by id, in a small project of Git and DVC with two commits."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, run

from alpacare.cli.main import main
from alpacare.records.task import row_id

KIND = {"type": "chat", "topic": "Cardiology", "view": "patient", "difficulty": 2}
PIPELINE = """\
stages:
  seeds: {cmd: "false", outs: [data/seeds.jsonl]}
  instructions: {cmd: "false", outs: [data/instructions.jsonl, data/dropped/instructions.jsonl]}
  filtered:
    cmd: "false"
    deps: [data/instructions.jsonl]
    outs: [data/filtered.jsonl, data/dropped/filtered.jsonl]
  responses: {cmd: "false", outs: [data/responses.jsonl, data/dropped/responses.jsonl]}
  base_model: {cmd: "false", deps: [data/responses.jsonl], outs: [models/base_model]}
  llm_usage:
    matrix: {paid: [instructions, responses]}
    cmd: "false"
    outs: ["metrics/llm_usage/${item.paid}.json": {cache: false}]
  student_rows:
    matrix: {student: [all-rows, half-rows]}
    cmd: "false"
    outs: ["data/student_rows/${item.student}.jsonl"]
"""
OLD = "Name three early signs of sepsis in an adult on a surgical ward."
NEW = "Name three early signs of sepsis in an adult on a medical ward."
KEPT, LOST, BACK = "Explain asthma.", "List causes of gout.", "Compare two statins."


def write(path: str, rows: list[dict[str, Any]]) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).unlink(missing_ok=True)
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows))


def task(text: str, **more: Any) -> dict[str, Any]:
    return {"id": row_id(text, ""), "instruction": text, "input": "", **KIND, **more}


def drop(text: str, reason: str) -> dict[str, Any]:
    return {"id": row_id(text, ""), "stage": "filtered", "reason": reason, "witness": "x"}


def write_version(
    kept: dict[str, str], dropped: list[dict[str, Any]], dollars: float, **kind: Any
) -> None:
    tasks = [task(text, **kind) for text in kept]
    for name in (
        "seeds",
        "instructions",
        "filtered",
        "student_rows/all-rows",
        "student_rows/half-rows",
    ):
        write(f"data/{name}.jsonl", tasks)
    write("data/responses.jsonl", [task(text, output=out) for text, out in kept.items()])
    write("data/dropped/filtered.jsonl", dropped)
    for name in ("instructions", "responses"):
        write(f"data/dropped/{name}.jsonl", [])
        write(f"metrics/llm_usage/{name}.json", [{"dollars": dollars}])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two versions: KEPT stays, LOST goes for a reason, BACK returns, OLD is reworded as NEW."""
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text((REPOSITORY / "params.yaml").read_text())
    Path("dvc.yaml").write_text(PIPELINE)
    Path("models/base_model").mkdir(parents=True)
    Path("models/base_model/x").write_text("x")
    for command in (
        "git init -q",
        "dvc init -q",
        "git config user.name a",
        "git config user.email a@b",
    ):
        subprocess.run(command.split(), check=True)
    write_version({KEPT: "One.", LOST: "Two.", OLD: "Three."}, [drop(BACK, "rouge_l")], 1.5)
    for command in ("dvc commit -f -q", "git add -A", "git commit -q -m then"):
        subprocess.run(command.split(), check=True)
    write_version({KEPT: "Other.", NEW: "Three.", BACK: "Four."}, [drop(LOST, "empty_input")], 2.0)
    subprocess.run(["dvc", "commit", "-f", "-q"], check=True)
    return tmp_path


def test_rows_are_counted_with_reasons_and_what_was_reworded(project: Path) -> None:
    said = run(main, "diff", "--data", "HEAD").output
    (line,) = [line.split() for line in said.splitlines() if line.startswith(" responses ")]
    assert line[1:] == [
        "3",
        "3",
        "2",
        "2",
        "1",
        "1",
    ]  # then, now, added, removed, changed, reworded
    assert "  added: 1 new, 1 rouge_l (filtered) then\n" in said
    assert "  removed: 1 empty_input (filtered), 1 not made any more\n" in said
    assert "  changed: 1 output\n" in said
    assert "  verb compare: 0.0 % of the rows then, 33.3 % now\n" in said
    assert "The answers of responses cost $1.50 then, $2.00 now." in said
    assert max(map(len, said.splitlines())) <= 80
    page = Path("reports/data-diff.md").read_text()
    assert f"{row_id(OLD, '')} and {row_id(NEW, '')}, ROUGE-L 0.92" in page  # 11 of 12 words
    assert f"{row_id(LOST, '')}, dropped now: empty_input (filtered)" in page


def test_without_a_change_and_of_no_commit(project: Path) -> None:
    subprocess.run(["git", "add", "-A"], check=True)
    subprocess.run(["git", "commit", "-q", "-m", "now"], check=True)
    assert "The same rows as at HEAD: seeds, instructions" in run(main, "diff", "--data").output
    for arguments, problem in (
        (("no-such-commit",), "no-such-commit"),
        ((), "data/filtered.jsonl:1: "),
    ):
        Path("data/filtered.jsonl").unlink(missing_ok=True)
        Path("data/filtered.jsonl").write_text('{"id": 1}\n')
        failed = run(main, "diff", "--data", *arguments)
        assert failed.exit_code == 2
        assert problem in failed.output
        assert failed.output.count("\n") == 1
