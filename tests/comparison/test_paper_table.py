"""`alpacare table`: what a paper prints, in Markdown and LaTeX."""

import re
import shutil
from pathlib import Path

import pytest
from conftest import run
from judged_project import write_project

from alpacare.cli.comparison import table
from alpacare.comparison.leaderboard import make_boards
from alpacare.core.files import read_json, write_json
from alpacare.evaluation.score import Cell
from alpacare.evaluation.score_table import interval
from alpacare.pipeline import paths
from alpacare.pipeline.params import read_params

STUDENTS = ["all_rows", "half-rows"]


@pytest.fixture
def project(workspace: Path) -> Path:
    """Two test sets, two students of two seeds each, and their base, that is a reference too."""
    write_project(
        workspace, {"demo": 20, "other": 10}, ["gpt_4", "terse", "base"], ["overlap", "longest"],
        students=STUDENTS, seeds=[0, 1], contestants=["base"],
    )  # fmt: skip
    return workspace


def rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_markdown_has_a_row_a_model_and_every_reference_and_their_mean(project: Path) -> None:
    done = run(table)
    assert done.exit_code == 0, done.output
    head, _, first, second, base, *_ = rows(done.output)
    names = ["gpt_4", "terse", "AVG", "base", "half-rows"]
    assert head[3:] == [f"{test}: {name}" for test in ("demo", "other") for name in names]
    assert first[:3] == ["overlap", "win rate", "all_rows"]
    assert second[:3] == ["", "", "half-rows"]
    assert base[:3] == ["", "", "base"]
    assert (second[7], base[6], base[7]) == ("-", "-", "-")
    (board,) = make_boards(read_params(), "demo", "overlap")
    rates = {entry.model.name: entry for entry in board.entries}
    for name, row in (("all_rows", first), ("half-rows", second), ("base", base)):
        assert row[5] == interval(rates[name].rate)
    assert first[7] == interval(rates["all_rows"].against["half-rows"])
    figures = [row[1] for row in rows(done.output)[2:] if row[1]]
    assert figures == ["win rate", "length-controlled", "position consistency"] * 2
    assert "95 % intervals over test items and seeds" in done.output
    assert "mean over 2 training seeds" in done.output
    assert "20 items of demo, at least 16 readable" in done.output


def test_latex_is_the_same_table(project: Path) -> None:
    done = run(table, "--format", "latex")
    assert done.exit_code == 0, done.output
    text = done.output
    columns = re.search(r"\\begin\{tabular\}\{(l+r+)\}", text)
    assert columns
    body = [line for line in text.splitlines() if line.endswith("\\\\")]
    for line in body[1:]:
        assert line.count("&") == len(columns[1]) - 1
    assert sum(map(int, re.findall(r"multicolumn\{(\d+)\}", body[0]))) == 10
    assert "gpt\\_4" in text
    assert "gpt_4" not in text
    assert text.count("{") == text.count("}")
    plain = [re.sub(r"\{\\scriptsize \(|--", " ", line) for line in body[2:]]
    cells = [re.findall(r"\d+\.\d", line) for line in plain]
    markdown = [re.findall(r"\d+\.\d", " ".join(row)) for row in rows(run(table).output)[2:]]
    assert cells == markdown


def test_without_verdicts_there_is_one_line(project: Path) -> None:
    shutil.rmtree("data/judgments")
    done = run(table)
    assert done.exit_code == 2
    (line,) = done.output.splitlines()
    assert line.endswith("not there yet; run `dvc repro`, or `alpacare pull`")


def test_a_reference_that_answered_one_set_only(project: Path) -> None:
    for cell in read_params().cells():
        if cell[0] == "other" and cell.reference == "terse":
            write_json(paths.score(cell), {**read_json(paths.score(cell)), "n": 0})
            paths.judgments(cell).write_text("")
    head = rows(run(table).output)[0]
    assert head[8:] == ["other: gpt_4", "other: base", "other: half-rows"]


def test_what_is_missing_or_wrong(project: Path) -> None:
    assert run(table, "--format", "word").exit_code == 2
    path = paths.score(Cell("demo", "all_rows", 0, "terse", "overlap"))
    path.write_text("{}")
    assert f"{path}: field" in run(table).output
    path.unlink()
    done = run(table)
    assert done.exit_code == 2
    assert "not scored yet" in done.output
    Path("params.yaml").write_text("tests: []")
    done = run(table)
    assert done.exit_code == 2
    assert "params.yaml" in done.output
