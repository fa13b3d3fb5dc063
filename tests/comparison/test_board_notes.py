"""Below a leaderboard: its win rates corrected by people, and what would make it surer."""

from pathlib import Path

import pytest
from conftest import run
from judged_project import write_project

from alpacare.cli.main import main
from alpacare.core import jsonl
from alpacare.records.test_set import read_test_set
from alpacare.review.key import StudentReview


def review(count: int, reference: str = "terse") -> None:
    """People prefer the model on three items of four."""
    tasks = read_test_set(Path("data/tests/demo.jsonl"))
    rows = [
        StudentReview(
            id=task.id, test="demo", reference=reference, reviewer="ann", criterion="correctness",
            verdict="reference" if n % 4 == 0 else "model", student="mine", training_seed=0,
        )
        for n, task in enumerate(tasks[:count])
    ]  # fmt: skip
    jsonl.write(Path(f"data/reviews/{reference}.jsonl"), rows)


@pytest.fixture
def project(workspace: Path) -> None:
    write_project(workspace, {"demo": 100}, ["terse"], ["mtbench", "overlap"], students=("mine",))


def test_people_correct_the_mean(project: None) -> None:
    review(80)
    output = run(main, "leaderboard").output
    assert "demo, judged by mtbench, corrected by people:" in output
    line = " ".join(output.partition("mine, correctness")[2].split())
    assert "by people with mtbench (PPI++); 64 of 80 items read" in line  # a fifth is unreadable
    low, high = line.partition("(")[2].partition(")")[0].split(" to ")
    assert float(low) < 75 < float(high)


def test_too_few_are_peoples_alone_and_no_review_says_nothing(project: None) -> None:
    assert "corrected by people" not in run(main, "leaderboard").output
    review(40)
    output = " ".join(run(main, "leaderboard").output.split())
    assert "by people alone, 32 reviewed items that the judge could read" in output
    review(2)
    output = " ".join(run(main, "leaderboard").output.split())
    assert "no win rate by people, 2 reviewed items that the judge could read, and 3 are" in output


def test_a_bad_file_of_reviews_is_said_and_the_leaderboard_stays(project: None) -> None:
    review(80)
    with Path("data/reviews/terse.jsonl").open("a") as file:
        file.write('{"id": 1}\n')
    done = run(main, "leaderboard")
    assert done.exit_code == 0
    output = " ".join(done.output.split())
    assert "corrected by people: not corrected: data/reviews/terse.jsonl" in output
    assert "PPI++" not in output


def test_what_a_point_costs_is_said_of_each_model(project: None) -> None:
    output = run(main, "leaderboard").output
    assert "demo, judged by mtbench, for an interval one point narrower:" in output
    assert "judged by overlap, for an interval" not in output, "nobody buys more of its verdicts"
    assert "test items, now 100 (" in output
