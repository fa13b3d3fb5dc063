"""`alpacare table`: what a paper prints, in Markdown and LaTeX."""

import re
import shutil
from pathlib import Path

import pytest
from conftest import run
from judged_project import write_project

from alpacare.cli.report import table
from alpacare.comparison.mean_win_rates import average_win_rates
from alpacare.evaluation.score_table import interval, read_score
from alpacare.pipeline.params import read_params

REFERENCES = ["gpt_4", "terse", "base"]


@pytest.fixture
def project(workspace: Path) -> Path:
    """Two test sets, three references, one of them the student before training."""
    write_project(workspace, {"demo": 20, "other": 10}, REFERENCES, ["overlap", "longest"])
    return workspace


def rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_markdown_has_every_reference_and_their_mean(project: Path) -> None:
    done = run(table)
    assert done.exit_code == 0, done.output
    head, _, first, equal, same, *_ = rows(done.output)
    assert head[2:6] == ["demo: gpt_4", "demo: terse", "demo: AVG", "demo: base"]
    assert head[6:] == ["other: gpt_4", "other: terse", "other: AVG", "other: base"]
    score = read_score(Path("metrics/scores/demo/terse/overlap.json"))
    mean = average_win_rates(read_params())["demo", "overlap"]
    assert first[:2] == ["overlap", "win rate"]
    assert first[3].startswith(f"{100 * (score.win_rate or 0):.1f} (")
    assert first[4] == interval(mean.rate)
    assert equal[3] == interval(score.length_controlled)
    assert same[1] == "position consistency"
    assert same[3].startswith(f"{100 * (score.position_consistency or 0):.1f} (")
    assert "95 % intervals" in done.output
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
    assert sum(map(int, re.findall(r"multicolumn\{(\d+)\}", body[0]))) == 8
    assert "gpt\\_4" in text
    assert "gpt_4" not in text
    assert text.count("{") == text.count("}")
    plain = [re.sub(r"\{\\scriptsize \(|--", " ", line) for line in body[2:]]
    cells = [re.findall(r"\d+\.\d", line) for line in plain]
    markdown = [re.findall(r"\d+\.\d", " ".join(row)) for row in rows(run(table).output)[2:]]
    assert cells == markdown


def test_without_verdicts_there_is_no_mean_and_it_says_so(project: Path) -> None:
    shutil.rmtree("data/judgments")
    done = run(table)
    assert "AVG" not in "".join(rows(done.output)[0])
    assert "No AVG: the verdicts are not here" in done.output


def test_a_reference_that_answered_one_set_only(project: Path) -> None:
    for judge in ("overlap", "longest"):
        path = Path(f"metrics/scores/other/terse/{judge}.json")
        path.write_text(path.read_text().replace('"n": 10, "n_valid"', '"n": 0, "n_valid"', 1))
        Path(f"data/judgments/other/terse/{judge}.jsonl").write_text("")
    head = rows(run(table).output)[0]
    assert head[6:] == ["other: gpt_4", "other: base"]


def test_what_is_missing_or_wrong(project: Path) -> None:
    assert run(table, "--format", "word").exit_code == 2
    path = Path("metrics/scores/demo/terse/overlap.json")
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
