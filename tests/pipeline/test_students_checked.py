"""`alpacare check` looks at every student before anything runs: what is wrong is one line."""

from pathlib import Path

import pytest
from conftest import run
from generated_ledgers import link_what_git_holds, write_params

from alpacare.cli.main import main
from alpacare.records.response import Response
from alpacare.records.task import row_id

RECORDED = {"endpoint": "recordings", "model": "demo-teacher"}
OURS = "rows: {source: imported/ours, "


@pytest.fixture
def student(workspace: Path) -> Path:
    """The file of a student; what it learns from is imported, or is yet to come."""
    link_what_git_holds("dvc.yaml", "prompts", "configs", "data", "students")
    path = Path("students/ours.yaml")
    rows = [
        Response(
            id=row_id(f"Task {n}", ""), instruction=f"Task {n}", input="", output="x", model="m",
            finish_reason="stop", request="", type="chat" if n else "open QA",
        )
        for n in range(3)
    ]  # fmt: skip
    lines = [row.model_dump_json() + "\n" for row in rows]
    Path("data/imported/ours.jsonl").write_text("".join(lines))
    test = Path("data/tests/demo.jsonl").read_text().splitlines()[7]
    Path("data/imported/copy.jsonl").write_text(f"{lines[0]}{test}\n")
    Path("data/w.gguf").touch()
    path.write_text("{}\n")
    settle()
    return path


def settle(**sections: object) -> None:
    settings = {"students": ["all-rows", "ours"], "instructions": RECORDED, "responses": RECORDED}
    judgments = {"head_to_head": "all-rows"}
    write_params(**{**settings, "judgments": judgments, **sections})


def told() -> str:
    """What is wrong, in one line."""
    done = run(main, "check")
    assert done.exit_code == 2, done.output
    assert len(done.output.strip().splitlines()) == 1
    return done.output


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "optimiser: {epochs: 3}\n",
            "students/ours.yaml: optimiser: unknown key; did you mean 'optimizer'?",
        ),
        ("hardware: one-gpu\n", "training.hardware"),
        ("base: /no/such/folder\n", "students/ours.yaml: folder not found: /no/such/folder"),
        ("base: data/w.gguf\n", "w.gguf is a GGUF file, weights for llama.cpp, mostly quantised"),
        ("base: dvc.yaml\n", "students/ours.yaml: dvc.yaml is a file; name the folder of its"),
        ("max_seq_length: 4096\n", "students/ours.yaml: max_seq_length: 4096 tokens exceed"),
        (OURS + "where: {type: poem}}\n", "students/ours.yaml: rows.where: none of 3 rows has"),
        (OURS + "take: 4, choose: random}\n", "students/ours.yaml: rows.take: 4 rows are wanted"),
        ("rows: {take: 4}\n", "take, choose: with choose: random, longest or nearest"),
        (OURS + "take: 1, choose: nearest, target: imported/their}\n", "their.jsonl: no such file"),
        (OURS + "take: 1, choose: nearest, target: imported/copy}\n", "1 of 2 are test tasks"),
        ("rows: {source: imported/theirs}\n", "data/imported/theirs.jsonl: no such file"),
        ("rows: {where: {category: x}}\n", "students/ours.yaml: rows.where.category: nobody sorts"),
    ],
)
def test_a_student_that_cannot_be_made(student: Path, text: str, message: str) -> None:
    student.write_text(text)
    assert message in told()


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"students": ["all-rows", "our"]}, "no file students/our.yaml; did you mean 'ours'?"),
        ({"students": ["ours", "ours"]}, "'ours'"),
        ({"training_seeds": [0, 1, 0]}, "'0'"),
        ({"judgments": {"references": ["terse", "ours"]}}, "references: 'ours' is a student"),
        ({"judgments": {"head_to_head": "base"}}, "head_to_head: 'base' is not in students"),
        ({"models": {"api": ["ours"]}}, "'ours' is also in models"),
    ],
)  # fmt: skip
def test_names_that_do_not_go_together(
    student: Path, sections: dict[str, object], message: str
) -> None:
    settle(**sections)
    assert message in told()


def test_rows_that_are_yet_to_come_are_not_missed(student: Path) -> None:
    """Those of the teacher, which may change; and categories, before their sorter ran."""
    student.write_text("rows: {take: 10000, choose: longest, where: {category: Other}}\n")
    settle(categories=["gpt-4o"], sources={"categories": "gpt-4o"})
    assert run(main, "check").exit_code == 0
    student.write_text(OURS + "where: {category: Other}}\n")
    assert run(main, "check").exit_code == 0
