"""Label Studio: tasks out, annotations in."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from conftest import run
from reviewed import draw, make_project, read_key

from alpacare.cli.main import main
from alpacare.cli.review import review_import
from alpacare.core import jsonl
from alpacare.review.key import Key, StudentReview
from alpacare.review.key import read_key as read_sample_key

Tasks = list[dict[str, Any]]
OUT = Path("data/reviews/project.jsonl")


@pytest.fixture
def tasks(workspace: Path) -> Tasks:
    make_project()
    draw("--n", 6, "--label-studio", "tasks.json")
    found: Tasks = json.loads(Path("tasks.json").read_text())
    return found


def chose(name: str, value: str) -> dict[str, Any]:
    return {
        "from_name": name, "to_name": "prompt", "type": "choices", "id": "x",
        "value": {"choices": [value]},
    }  # fmt: skip


def picked(name: str, side: str) -> dict[str, Any]:
    return {
        "from_name": name, "to_name": "answer_a,answer_b", "type": "pairwise", "id": "x",
        "value": {"selected": side},
    }  # fmt: skip


def annotate(task: dict[str, Any], *results: dict[str, Any], by: Any = 1, **more: Any) -> None:
    """Add what Label Studio would."""
    task.setdefault("annotations", []).append(
        {"id": 7, "completed_by": by, "was_cancelled": False, "result": list(results), **more}
    )


def imported(tasks: Tasks, *options: str) -> list[StudentReview]:
    for number, task in enumerate(tasks):
        task.setdefault("annotations", [])
        task |= {"id": number, "project": 3, "predictions": []}
    Path("project.json").write_text(json.dumps(tasks))
    done = run(review_import, "project.json", *options)
    assert done.exit_code == 0, done.output
    return jsonl.read(OUT, StudentReview)


def test_tasks_hold_the_texts_and_no_names(tasks: Tasks) -> None:
    key = read_key()
    assert len(tasks) == 6
    for task, item in zip(tasks, key["items"], strict=True):
        data = task["data"]
        assert set(data) == {"sample", "item", "prompt", "answer_a", "answer_b"}
        assert data["answer_a"].startswith("Mine" if item["a"] == "model" else "Theirs")
    assert "terse" not in Path("tasks.json").read_text()


def test_the_interface_uses_what_the_tasks_hold(tasks: Tasks) -> None:
    root = ElementTree.parse("tasks.xml").getroot()
    values = {text.get("value", "")[1:] for text in root.iter("Text")}
    assert values == {"prompt", "answer_a", "answer_b"}
    assert values < set(tasks[0]["data"])
    names = {text.get("name") for text in root.iter("Text")}
    asked = {each.get("name"): each for each in root.iter("Choices")}
    assert set(asked) == {"correctness", "helpfulness"}
    for each in asked.values():
        assert each.get("toName") in names
        assert [c.get("value") for c in each.iter("Choice")] == ["A better", "Tie", "B better"]


def test_choices_and_comments_come_back(tasks: Tasks) -> None:
    comment = {
        "from_name": "comment", "to_name": "prompt", "type": "textarea", "id": "y",
        "value": {"text": ["Dose is wrong."]},
    }  # fmt: skip
    annotate(tasks[0], chose("correctness", "A better"), chose("helpfulness", "Tie"), comment)
    annotate(tasks[0], chose("correctness", "B better"), by={"id": 2, "email": "b@example.org"})
    annotate(tasks[1], chose("correctness", "A better"), was_cancelled=True)
    rows = imported(tasks, "--reviewer", "1=ann")
    a = read_key()["items"][0]["a"]
    b = "reference" if a == "model" else "model"
    assert [(r.reviewer, r.criterion, r.verdict, r.comment) for r in rows] == [
        ("ann", "correctness", a, "Dose is wrong."),
        ("ann", "helpfulness", "tie", "Dose is wrong."),
        ("annotator-2", "correctness", b, ""),
    ]
    assert "example.org" not in OUT.read_text()
    assert run(main, "agreement").exit_code == 0


def test_the_key_of_many_tasks_is_read_once(tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def read(sample: str, place: str) -> Key:
        asked.append(place)
        return read_sample_key(sample, place)

    monkeypatch.setattr("alpacare.review.label_studio.read_key", read)
    for task in tasks:
        annotate(task, chose("correctness", "Tie"))
    assert len(imported(tasks)) == 6
    assert asked == ["project.json: task 1"]


def test_pairwise_tags_of_an_interface_of_ones_own(tasks: Tasks) -> None:
    for task, side in zip(tasks, ("left", "right", "none"), strict=False):
        annotate(task, picked("overall", side))
    rows = imported(tasks)
    first, second = (item["a"] for item in read_key()["items"][:2])
    other = "reference" if second == "model" else "model"
    assert [row.verdict for row in rows] == [first, other]


def test_again_is_the_same_and_another_file_is_not_overwritten(tasks: Tasks) -> None:
    annotate(tasks[0], chose("correctness", "Tie"))
    assert imported(tasks) == imported(tasks)
    annotate(tasks[1], chose("correctness", "Tie"))
    Path("project.json").write_text(json.dumps(tasks))
    before = OUT.read_bytes()
    done = run(review_import, "project.json")
    assert done.exit_code == 2
    assert f"{OUT}: has other content" in done.output
    assert OUT.read_bytes() == before


def refused(text: str, *options: str) -> str:
    Path("project.json").write_text(text)
    done = run(review_import, "project.json", *options)
    assert done.exit_code == 2
    assert len(done.output.strip().splitlines()) == 1
    assert not OUT.exists()
    return done.output


def test_other_kinds_of_export(tasks: Tasks) -> None:
    assert "expected a list of tasks" in refused('{"tasks": []}')
    minimal = json.dumps([{**tasks[0]["data"], "correctness": "Tie", "annotator": 1}])
    assert "project.json: task 1: has no annotations" in refused(minimal)
    assert "not valid JSON" in refused(minimal[:-3])
    assert "no verdicts yet" in refused(json.dumps([{**task, "annotations": []} for task in tasks]))


def test_tasks_that_were_mixed_up(tasks: Tasks) -> None:
    annotate(tasks[0], chose("correctness", "Better"))
    assert "task 1: 'Better' is not one of the choices" in refused(json.dumps(tasks[:1]))
    tasks[0]["annotations"] = []
    annotate(tasks[0], {**chose("correctness", "Tie"), "type": "rating"})
    assert "'correctness' is neither one choice" in refused(json.dumps(tasks[:1]))
    tasks[0]["annotations"] = []
    annotate(tasks[0], chose("Correct", "Tie"))
    assert "task 1: field 'criterion'" in refused(json.dumps(tasks[:1]))
    swapped = json.loads(json.dumps(tasks[:1]))
    data = swapped[0]["data"]
    data["answer_a"], data["answer_b"] = data["answer_b"], data["answer_a"]
    assert "task 1: its answers are not those of the sample" in refused(json.dumps(swapped))
    data["item"] = "x"
    assert "task 1: item x is not in sample" in refused(json.dumps(swapped))
    data["sample"] = "0" * 16
    assert "whose answer is A, is missing" in refused(json.dumps(swapped))


def test_names_that_are_none(tasks: Tasks) -> None:
    assert "--reviewer ann: write NUMBER=NAME" in refused("[]", "--reviewer", "ann")
