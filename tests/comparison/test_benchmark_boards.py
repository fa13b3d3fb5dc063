"""Benchmarks in `alpacare leaderboard` and `compare`, with figures worked out by hand."""

import re
from math import nan
from pathlib import Path

import pytest
from benchmarks.rigged import LETTERS, item, write_benchmark, write_results
from conftest import run
from judged_project import write_project

from alpacare.cli.main import main
from alpacare.evaluation.benchmark_score import mcnemar
from alpacare.pipeline import paths

DASH = "\N{EN DASH}"  # of a model without seeds
RIGHT = "ABCD" * 10
ITEMS = [item(f"Question {n}?", list("wxyz"), "ABCD".index(each)) for n, each in enumerate(RIGHT)]


def answers(right: int, first: int = 0) -> str:
    """So many right answers from item `first` on, and D, or A in the place of D, elsewhere."""
    known = {(first + n) % 40 for n in range(right)}
    wrong = ("A" if each == "D" else "D" for each in RIGHT)
    pairs = enumerate(zip(RIGHT, wrong, strict=True))
    return "".join(pair[n not in known] for n, pair in pairs)


@pytest.fixture
def project(workspace: Path) -> Path:
    """Two students of two seeds each, and their base, on a benchmark of 40 items."""
    write_project(
        workspace, {"demo": 40}, ["gpt_4", "base"], ["overlap"],
        students=["better", "other"], seeds=[0, 1], contestants=["base"],
    )  # fmt: skip
    write_benchmark("exam", ITEMS)
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text.replace("benchmarks: []", "benchmarks: [exam]"))
    write_results("exam", "better", 0, answers(32), ITEMS)
    write_results("exam", "better", 1, answers(30), ITEMS)
    write_results("exam", "other", 0, answers(20), ITEMS)
    write_results("exam", "other", 1, answers(20, 2), ITEMS)
    write_results("exam", "base", None, "A" * 40, ITEMS)
    return workspace


def told(*arguments: str) -> str:
    done = run(main, *arguments)
    assert done.exit_code == 0, done.output
    assert max(map(len, done.output.splitlines())) <= 80
    return " ".join(done.output.split())


def test_a_benchmark_is_a_board_beside_those_of_test_sets(project: Path) -> None:
    shown = told("leaderboard")
    assert "demo, judged by overlap" in shown
    assert "exam: accuracy" in shown
    # 62 of 80 right; with a wrong D for A, B, C, a wrong A for D
    assert "1 better 77.5 (" in shown
    assert "base 25.0 (14 to 40) 40 - 100 0 0 0 0 0" in shown
    assert "guessing 25.0 - - 25 25 25 25 - -" in shown
    assert "better against other: +27.5 points (" in shown
    assert "more than chance" in shown
    alone = told("leaderboard", "--test", "exam")
    assert "exam: accuracy" in alone
    assert "judged by" not in alone
    assert "exam" not in told("leaderboard", "--judge", "overlap")
    assert "has no judge" in run(main, "leaderboard", "--test", "exam", "--judge", "x").output


def test_two_models_are_compared_item_by_item(project: Path) -> None:
    shown = told("compare", "other", "better", "--test", "exam")
    assert "other 50.0, better 77.5 better against other: +27.5 points (" in shown
    # seed 0: 12 items that only `better` knows: 2 / 2**12; seed 1: items 0, 1 and 22 to 29
    assert "seed 0: 0 right only by other, 12 by better; exact McNemar p = 0.00049." in shown
    assert "seed 1: 0 right only by other, 10 by better; exact McNemar p = 0.002." in shown
    assert "exam, accuracy, 40 items" in told("compare", "other", "better")
    base = told("compare", "base", "other", "--test", "exam")
    # `other` knows items 0 to 19, `base` the ten A of 40: five in common
    assert "seed 0: 5 right only by base, 15 by other; exact McNemar p = 0.041." in base


def test_what_has_not_run_is_said(project: Path) -> None:
    paths.benchmark_results("exam", "better", 1).unlink()
    shown = told("leaderboard", "--test", "exam")
    assert "better: data/benchmark_results/exam/better/1.jsonl: not there yet; run `dvc" in shown
    refused = run(main, "compare", "other", "better", "--test", "exam")
    assert refused.exit_code == 2
    assert "run `dvc repro benchmarks`" in refused.output
    unknown = run(main, "compare", "other", "nobody", "--test", "exam")
    assert "no model 'nobody' that meets benchmarks; there are: better, other, base" in (
        unknown.output
    )


def test_figures_of_another_metric_or_setting_are_not_set_beside_others(project: Path) -> None:
    run_of = paths.benchmark_results("exam", "base", None).with_suffix(".json")
    run_of.write_text('{"metric": "acc_norm", "settings": {"few_shot": 5}}')
    shown = told("leaderboard", "--test", "exam")
    assert (
        "made with metric: acc_norm, not acc; few_shot: 5, not None; run `dvc repro bench" in shown
    )
    assert " base 25.0 " not in shown
    refused = run(main, "compare", "base", "other", "--test", "exam")
    assert refused.exit_code == 2
    assert "not comparable" in refused.output
    run_of.write_text('{"metric": "acc", "settings": {"few_shot": 5}}')
    assert "Asked in two ways: other was made with few_shot: None, not 5." in told(
        *("compare", "base", "other", "--test", "exam")
    )
    run_of.unlink()
    assert "base.json: no such file" in told("leaderboard", "--test", "exam")


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"a": 0.5, "b": -0.5}, {"a": 0.5, "b": -0.5}, (0, 0, 1.0)),
        # 1 against 5: 2 (1 + 6) / 64
        (dict.fromkeys("a", 0.5) | dict.fromkeys("bcdef", -0.5),
         dict.fromkeys("a", -0.5) | dict.fromkeys("bcdef", 0.5), (1, 5, 0.21875)),
        ({"a": nan, "b": 0.5}, {"a": 0.5, "b": -0.5}, (1, 0, 1.0)),
        ({"a": 0.1}, {"a": 0.5}, None),  # a text's score is not right or wrong
    ],
)  # fmt: skip
def test_mcnemar_exact(
    first: dict[str, float], second: dict[str, float], expected: tuple[int, int, float] | None
) -> None:
    assert mcnemar(first, second) == expected


def test_the_tables_of_papers_have_benchmarks_by_group(project: Path) -> None:
    write_benchmark("facts", ITEMS, f"{LETTERS}\nmetadata: {{group: general}}")
    write_benchmark("drugs", ITEMS)
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text.replace("[exam]", "[exam, facts, drugs]"))
    for name in ("facts", "drugs"):
        for seed in (0, 1):
            write_results(name, "better", seed, RIGHT, ITEMS)
            write_results(name, "other", seed, answers(10), ITEMS)
        write_results(name, "base", None, "A" * 40, ITEMS)
    lines = run(main, "table").output.splitlines()
    assert any(line.startswith("| judge | figure | model |") for line in lines)
    heads = next(line for line in lines if "medical" in line)
    assert heads.endswith("medical: exam | medical: drugs | medical: AVG | general: facts |")
    scores = next(line for line in lines if line.startswith("|  | score | better |"))
    # (77.5 + 100) / 2
    assert [each.split()[0] for each in scores.split("|")[4:8]] == [
        "77.5",
        "100.0",
        "88.8",
        "100.0",
    ]
    write_results("exam", "better", 1, RIGHT, ITEMS)
    write_results("exam", "better", 0, RIGHT[:-1] + "A", ITEMS)
    lines = run(main, "table").output.splitlines()
    scores = next(line for line in lines if line.startswith("|  | score | better |"))
    assert scores.split("|")[6].strip().endswith("to 100.0)")  # 99.4 and less than half its width
    write_results("exam", "better", 0, answers(32), ITEMS)
    write_results("exam", "better", 1, answers(30), ITEMS)
    own = run(main, "table", "--style", "bioinstruct").output.splitlines()
    assert own[0] == "|  | figure | model | exam | drugs | AVG |"  # without the general one
    gains = next(line for line in own if "gain over base" in line)
    # 77.5 is 210 % more than 25; 100 is 300 % more; their mean 88.75 is 255 % more
    assert [each.split()[0] for each in gains.split("|")[4:7]] == ["210.0", "300.0", "255.0"]
    assert "40 of exam (acc), 40 of drugs (acc)" in own[-1]
    latex = run(main, "table", "--style", "bioinstruct", "--format", "latex").output
    assert r"\multicolumn{3}{c}{QA}" in latex


def test_the_page_has_a_section_of_benchmarks(project: Path) -> None:
    done = run(main, "report")
    assert done.exit_code == 0, done.output
    page = Path("reports/index.html").read_text()
    section = page.partition('<section id="benchmarks"')[2].partition("</section>")[0]
    words = " ".join(re.sub("<[^>]+>", " ", section).split())
    assert "exam : accuracy in %, with 95 % interval; guessing gets 25.0." in words
    assert f"base 25.0 14.1 to 40.4 40 {DASH} 100 0 0 0 0 0" in words
    assert "better against other: +27.5 points" in words
    assert "Right answers are, in %: A B C D = 25 25 25 25." in words
    assert '<a href="#benchmarks">' in page
