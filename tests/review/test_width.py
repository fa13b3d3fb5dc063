"""`alpacare review --width`: as many tasks as an interval takes, and what is still missing."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import run
from reviewed import draw, export, give_back, make_project, read_key

from alpacare.cli.main import main
from alpacare.cli.review import review
from alpacare.evaluation.correction import Pair
from alpacare.evaluation.review_size import Variances, estimate_variances
from alpacare.records.judgment import Verdict

NAN = float("nan")


def test_the_textbooks_number_without_a_judge() -> None:
    """1.96^2 0.25 / 0.1^2 = 96 items for 20 points; Student's t and Wilson's shape say 95."""
    assert Variances(10_000).needed(0.2, 1, 0.95) == pytest.approx(96, abs=3)
    assert Variances(90).needed(0.2, 1, 0.95) is None
    assert Variances(96).width_of_all(0.95) == pytest.approx(0.2, abs=0.005)


def test_a_judge_and_second_readers_save_tasks() -> None:
    """Of 0.25 the judge knows 0.15: 0.1 / n + 0.15 / 1,000 is as sure as 0.25 / 96."""
    helped = Variances(1000, explained=0.15)
    assert helped.needed(0.2, 1, 0.95) == pytest.approx(0.1 / (0.25 / 96 - 0.15e-3), abs=25)
    assert helped.needed(0.2, 1, 0.95) == 60, "fewer are read as people's alone"
    unsure = Variances(1000, spread=0.15, disagreement=0.1)
    one, two = (unsure.needed(0.1, reviewers, 0.95) for reviewers in (1, 2))
    assert one is not None
    assert two is not None
    assert two / one == pytest.approx(0.2 / 0.25, rel=0.02)


def test_variances_are_those_of_the_items_and_of_their_reviewers() -> None:
    """Half of the items are won; one reviewer of two is wrong on a fifth of 100 items."""
    truth = [0.5, -0.5] * 50
    second = [-each if place % 5 == 0 else each for place, each in enumerate(truth)]
    read = list(zip(truth, second, strict=True))
    means = [(one + other) / 2 for one, other in read]
    pairs = [Pair(str(n), "r", "", mean, mean) for n, mean in enumerate(means)]
    pairs += [Pair(str(100 + n), "r", "", 0.5, NAN) for n in range(100)]
    found = estimate_variances(pairs, read)
    assert found.disagreement == pytest.approx(20 * 0.5 / 100)  # of 1 and 0 it is 0.5
    assert found.spread == pytest.approx(20.2 / 101 - 0.05, abs=0.005)  # 80 of 100 at 0.25
    assert found.explained == pytest.approx(found.spread), "all that is no chance"
    assert estimate_variances(pairs[85:], read[85:]) == Variances(115), "15 are too few"
    twice = [
        Pair(p.item, reference, "", p.judge, p.people) for p in pairs[:10] for reference in "rs"
    ]
    assert estimate_variances(twice, read[:10] * 2) == Variances(10), "10, against two references"


def reviewed(verdicts: dict[str, dict[str, Verdict]], name: str) -> None:
    give_back(name, export(read_key(), name, verdicts))


def agreed() -> tuple[str, list[dict[str, Any]]]:
    done = run(main, "agreement", "--out", "out.json")
    assert done.exit_code == 0, done.output
    missing: list[dict[str, Any]] = json.loads(Path("out.json").read_text())["missing"]
    return " ".join(done.output.split()), missing


def test_as_many_are_drawn_and_then_the_rest(workspace: Path) -> None:
    make_project(count=120)
    told = " ".join(draw("--width", 20).output.split())
    assert "takes about 95 items read by one person each; read so far: 0, drawn now: 95" in told
    key = read_key()
    assert (len(key["items"]), key["width"]) == (95, 20.0)
    ids = [item["id"] for item in key["items"]]
    said: dict[str, dict[str, Verdict]]
    said = {id: {"correctness": "model" if n % 2 else "reference"} for n, id in enumerate(ids[:40])}
    reviewed(said, "ann")
    output, (missing,) = agreed()
    assert (missing["read"], missing["missing"], missing["criterion"]) == (40, 58, "correctness")
    assert "40 items read, interval 31 points of 20 wanted: 58 missing" in output
    told = " ".join(draw("--width", 20).output.split())
    assert "no item was read by two people" in told
    (second,) = (
        key
        for path in Path("data/reviews/keys").glob("*.json")
        if len((key := json.loads(path.read_text()))["items"]) == 58
    )
    assert not {item["id"] for item in second["items"]} & said.keys(), "none twice"


def test_a_width_that_no_number_of_tasks_gives(workspace: Path) -> None:
    make_project()
    done = run(review, "demo", "terse", "--width", 8)
    assert done.exit_code == 2
    assert "--width 8: with all 12 items read the interval is still about" in done.output
    assert len(done.output.strip().splitlines()) == 1
    assert not Path("data/reviews/keys").exists()
    done = run(review, "demo", "gpt-5", "--width", 8)
    assert "'gpt-5' is not one of the references" in done.output
