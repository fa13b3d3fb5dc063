"""`alpacare compare A B` of two models at hand; two commits are in test_diff.py."""

import re
from pathlib import Path

import pytest
from conftest import run
from judged_project import write_project

from alpacare.cli.main import main
from alpacare.core import jsonl
from alpacare.evaluation.score import Cell
from alpacare.pipeline import paths
from alpacare.pipeline.params import read_params
from alpacare.records.judgment import Judgment


@pytest.fixture
def project(workspace: Path) -> Path:
    """Two students of two seeds each and their base, of which `better` wins the most."""
    write_project(
        workspace, {"demo": 40}, ["gpt_4", "base"], ["overlap"],
        students=["better", "other"], seeds=[0, 1], contestants=["base"],
    )  # fmt: skip
    for cell in read_params().cells():
        judge(cell, {"better": 30, "other": 20, "base": 3}[cell.model] + (cell.seed or 0))
    return workspace


def judge(cell: Cell, wins: int) -> None:
    """Let a model win the first items, and lose the others."""
    path = paths.judgments(cell)
    rows = jsonl.read(path, Judgment)
    won = set(list(dict.fromkeys(row.id for row in rows))[:wins])
    verdicts = ("model" if row.id in won else "reference" for row in rows)
    jsonl.write(path, [
        row.model_copy(update={"verdict": verdict})
        for row, verdict in zip(rows, verdicts, strict=True)
    ])  # fmt: skip


def compare(*arguments: str) -> str:
    done = run(main, "compare", *arguments)
    assert done.exit_code == 0, done.output
    assert max(map(len, done.output.splitlines())) <= 80
    return " ".join(done.output.split())


def test_two_students(project: Path) -> None:
    told = compare("other", "better")
    assert "demo, overlap, gpt_4: +25.0 points (" in told
    assert re.search(
        r"\): more than chance\. Uncertainty in points: test items \d+\.\d, train", told
    )
    assert "11 items flipped: 11 better with better, 0 worse." in told
    assert "is pooled over 2 students, as if it were the same for each (2 degrees of" in told
    assert "demo, overlap, base: +25.0 points (" in told
    assert re.search(r"side by side: better wins 76\.2 % \(\d+ to \d+\) against other\.", told)


def test_a_student_and_its_base(project: Path) -> None:
    told = compare("base", "other")
    assert "demo, overlap, gpt_4: +43.8 points (" in told
    assert "side by side: other wins 51.2 % (" in told
    assert "overlap, other:" not in told, "a base never met the student head to head"


def test_what_it_would_take_is_said(project: Path) -> None:
    """Two students that differ less than their seeds: more seeds, and no number of items."""
    for seed, (better, other) in enumerate(((38, 30), (22, 14))):
        judge(Cell("demo", "better", seed, "gpt_4", "overlap"), better)
        judge(Cell("demo", "other", seed, "gpt_4", "overlap"), other)
    told = compare("other", "better")
    assert "demo, overlap, gpt_4: +20.0 points (" in told
    assert "2 seeds cannot tell; needed: more seeds, about " in told
    assert "more items alone would not do." in told


def test_unreadable_items_are_counted(project: Path) -> None:
    path = paths.judgments(Cell("demo", "better", 0, "gpt_4", "overlap"))
    other = paths.judgments(Cell("demo", "better", 1, "gpt_4", "overlap"))
    for each in (path, other):
        rows = jsonl.read(each, Judgment)
        jsonl.write(each, [rows[0].model_copy(update={"verdict": None}), *rows[1:]])
    assert "Left out: 1 without readable verdicts in other or better." in compare("other", "better")


def test_the_same_way_round_and_back(project: Path) -> None:
    there, back = compare("other", "better"), compare("better", "other")
    (one,) = re.findall(r"gpt_4: \+25\.0 points \((\S+) to (\S+)\)", there)
    (two,) = re.findall(r"gpt_4: -25\.0 points \((\S+) to (\S+)\)", back)
    assert one == tuple(bound.replace("-", "+") for bound in reversed(two))


def test_a_few_changed_items_cannot_tell(project: Path) -> None:
    """All five that differ are better, and an exact test of five coins says 6 %."""
    for seed in (0, 1):
        judge(Cell("demo", "better", seed, "gpt_4", "overlap"), 25)
        judge(Cell("demo", "other", seed, "gpt_4", "overlap"), 20)
    assert "5 changed items cannot tell; needed: about " in compare("other", "better")


def test_where_no_item_changed_none_is_effective(project: Path) -> None:
    """Two students of the same verdicts; and one item that differs, beside seeds that do a lot."""
    for seed, wins in enumerate((10, 30)):
        judge(Cell("demo", "better", seed, "gpt_4", "overlap"), wins)
        judge(Cell("demo", "other", seed, "gpt_4", "overlap"), wins)
    told = compare("other", "better")
    assert re.search(r"gpt_4 50\.0 50\.0 0\.0 40 - ", told)
    assert "none of 40 items scores otherwise" in told
    judge(Cell("demo", "better", 0, "gpt_4", "overlap"), 11)
    assert re.search(r"gpt_4 50\.0 51\.2 \+1\.2 40 <1 ", compare("other", "better"))
