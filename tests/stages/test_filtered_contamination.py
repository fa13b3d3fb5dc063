"""`filtered` with test sets: contaminated tasks are dropped, reported or refused."""

import csv
from pathlib import Path

from conftest import run
from filtering_stage import FILES, TEXTS, configure, filtered, write_tasks

from alpacare.records.task import row_id
from alpacare.stages.filtered import main

LONG = "a b c d e f g h i j k l m n o p q r s t u v w x y z"


def write_contaminated() -> None:
    """The first is near a test task, the second shares 13 words of its input, the third is fine."""
    write_tasks("in.jsonl", [TEXTS[2], ("Sum it up.", "Once " + LONG), TEXTS[1]])
    Path("tests").mkdir()
    write_tasks("tests/one.jsonl", [TEXTS[0]])
    write_tasks("tests/two.jsonl", [("What does the note say?", LONG[:27])])


def test_tasks_of_a_test_set_are_dropped_with_the_test_task(workspace: Path) -> None:
    configure()
    write_contaminated()
    kept, dropped, metrics = filtered("--test-set", "tests", "--nearest", "near.csv")
    assert kept == [TEXTS[1]]
    assert [row["witness"] for row in dropped] == [
        f"one/{row_id(TEXTS[0], '')}",
        f"two/{row_id('What does the note say?', LONG[:27])}",
    ]
    assert {row["reason"] for row in dropped} == {"contamination"}
    assert metrics["compared_with"]["test_tasks"] == metrics["in_test_sets"] == 2
    assert metrics["nearest_to_test_sets"] == 0.9091
    near = list(csv.DictReader(Path("near.csv").read_text().splitlines()))
    assert [row["rouge_l"] for row in near] == ["0.9091", "0.0000"]
    assert len(near[1]["shared_words"].split()) == 13
    assert near[0]["test_instruction"] == TEXTS[0]


def test_each_test_set_can_be_given_by_itself(workspace: Path) -> None:
    configure(contamination_words=None)
    write_contaminated()
    kept, _, _ = filtered("--test-set", "tests/one.jsonl", "--test-set", "tests/two.jsonl")
    assert len(kept) == 2, "the second shares words only"


def test_contamination_can_be_reported_only(workspace: Path) -> None:
    configure(contamination="report")
    write_contaminated()
    kept, _, metrics = filtered("--test-set", "tests", "--nearest", "near.csv")
    assert (len(kept), metrics["in_test_sets"], metrics["dropped"]["contamination"]) == (3, 2, 0)
    assert Path("near.csv").read_text().count("\n") == 3


def test_contamination_can_stop_it_all(workspace: Path) -> None:
    configure(contamination="fail")
    write_contaminated()
    Path("out.jsonl").write_text("earlier")
    result = run(main, *FILES, "--test-set", "tests")
    assert result.exit_code == 2
    pair = f"{row_id(TEXTS[2], '')}, which matches one/{row_id(TEXTS[0], '')} (ROUGE-L 0.909)"
    assert f"2 of 3 instructions match a test task; the nearest is {pair}" in result.output
    assert Path("out.jsonl").read_text() == "earlier"
    assert not Path("d.jsonl").exists()
