"""Which rows a student learns from: `student_rows`, by its file."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from conftest import run
from tiny_study import STUDENT, make_rows

from alpacare.core import jsonl
from alpacare.core.files import read_json
from alpacare.filtering.contamination_gate import find_contaminated, read_test_sets
from alpacare.filtering.settings import ContaminationSettings
from alpacare.records.category import Category
from alpacare.records.dropped import Dropped
from alpacare.records.message import Message, messages_id
from alpacare.records.response import Response
from alpacare.records.task import row_id
from alpacare.stages.student_rows import main as student_rows

ROWS = make_rows()


@pytest.fixture(autouse=True)
def files(params: Path) -> None:
    jsonl.write(Path("rows.jsonl"), ROWS)
    jsonl.write(Path("imported/mine.jsonl"), ROWS[:2])
    Path("categories.jsonl").touch()
    write_test("one", "Name the bones of the wrist.")


def write_test(name: str, instruction: str) -> None:
    task = {"id": row_id(instruction, ""), "instruction": instruction}
    Path("tests").mkdir(exist_ok=True)
    Path(f"tests/{name}.jsonl").write_text(json.dumps(task) + "\n")


def choose(**rows: Any) -> Result:
    STUDENT.parent.mkdir(exist_ok=True)
    STUDENT.write_text(json.dumps({"rows": rows}))
    files = [STUDENT, "rows.jsonl", "out.jsonl", "--dropped", "gone.jsonl", "--metrics", "m.json"]
    beside = ["--imported", "imported", "--categories", "categories.jsonl", "--test-set", "tests"]
    return run(student_rows, *files, *beside)


def chosen(**rows: Any) -> list[int]:
    """The places of the rows that are chosen."""
    done = choose(**rows)
    assert done.exit_code == 0, done.output
    return [ROWS.index(row) for row in jsonl.read(Path("out.jsonl"), Response)]


def write_categories(*names: str | None) -> None:
    rows = [
        Category(id=row.id, category=name, raw="", request="")  # type: ignore[arg-type]
        for row, name in zip(ROWS, names, strict=True)
    ]
    jsonl.write(Path("categories.jsonl"), rows)


@pytest.mark.parametrize(
    ("rows", "places"),
    [
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"where": {"type": "chat"}}, [0, 2, 4]),
        ({"where": {"topic": ["Cardiology", "Dermatology"], "type": "open QA"}}, [1, 5]),
        ({"where": {"difficulty": [1, 4]}}, [0, 3]),
        ({"where": {"type": "chat"}, "take": 2, "choose": "longest"}, [2, 4]),
        ({"source": "imported/mine"}, [0, 1]),
    ],
)
def test_rows_by_what_they_are(rows: Any, places: list[int]) -> None:
    assert chosen(**rows) == places


def test_a_random_choice_is_the_same_for_the_same_seed_and_in_order() -> None:
    first = chosen(take=3, choose="random")
    assert first == sorted(first)
    assert chosen(take=3, choose="random") == first
    assert any(chosen(take=3, choose="random", seed=seed) != first for seed in (1, 2, 3))


def import_texts(*texts: str) -> None:
    rows = [{"id": row_id(text, ""), "instruction": text, "input": ""} for text in texts]
    Path("imported/texts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_the_rows_nearest_to_any_of_some_texts() -> None:
    """Where all are as near, the first ones."""
    import_texts("What does the skin do?", "Tell me what the liver needs, please.")
    nearest = {"choose": "nearest", "target": "imported/texts"}
    assert chosen(take=2, **nearest) == [2, 4]
    assert chosen(take=1, where={"type": "open QA"}, **nearest) == [1]


def test_no_row_is_chosen_for_the_test() -> None:
    """Wherever the test set lies, and under any name."""
    for name in ("tests/one", "data/tests/one.jsonl", "../data/tests/one"):
        done = choose(take=2, choose="nearest", target=name)
        assert (done.exit_code, done.output.count("\n")) == (2, 1), done.output
        assert f"rows.target: {name} is a test set" in done.output
    import_texts("What does the skin do?", "Name the bones of the wrist.")
    done = choose(take=2, choose="nearest", target="imported/texts")
    assert (done.exit_code, done.output.count("\n")) == (2, 1), done.output
    assert "imported/texts.jsonl: 1 of 2 are test tasks, the first is " in done.output
    assert not Path("out.jsonl").exists()


def test_rows_by_category() -> None:
    write_categories("other", None, "question answering", "other", None, "text generation")
    assert chosen(where={"category": "other"}) == [0, 3]
    both = {"category": ["question answering", "text generation"], "type": "chat"}
    assert chosen(where=both) == [2]
    refused = choose(where={"category": "others"})
    assert "; category is one of: other, question answering, text generation" in refused.output


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            {"where": {"topic": "Cardiologie"}},
            "rows.where: none of 6 rows has {'topic': 'Cardiologie'}; topic is one of: C",
        ),
        (
            {"where": {"type": "chat", "topic": "X"}},
            "; topic is one of: Cardiology, Dermatolog",
        ),
        ({"where": {"view": "nurse"}}, "; view is one of: nothing, as in imported rows"),
        ({"take": 7, "choose": "random"}, "rows.take: 7 rows are wanted, and there are 6"),
        ({"take": 3}, "rows: take, choose: with choose: random, longest or nearest"),
        ({"choose": "longest"}, "rows: take, choose: with choose: random, longest or nearest"),
        ({"where": {"typ": "chat"}}, "rows.where.typ: unknown key; did you mean 'type'?"),
        ({"where": {"category": "x"}}, "no row has a category; name who sorts them in"),
        ({"take": 2, "choose": "nearest"}, "target, choose: with choose: nearest, and only then"),
        ({"target": "imported/mine"}, "target, choose: with choose: nearest, and only then"),
        ({"source": "imported/other"}, "imported/other.jsonl: no such file"),
        ({"source": "other"}, "rows.source: string should match pattern"),
    ],
)
def test_what_selects_nothing_is_one_line(rows: Any, message: str) -> None:
    done = choose(**rows)
    assert (done.exit_code, done.output.count("\n")) == (2, 1), done.output
    assert message in done.output
    assert not Path("out.jsonl").exists()


def test_no_rows_at_all_is_one_line() -> None:
    Path("rows.jsonl").write_text("")
    assert "rows.jsonl: no rows to learn from" in choose().output


def test_rows_that_are_test_tasks_go_wherever_they_are_from(params: Path) -> None:
    """Imported ones too, which the filter never saw; a new test set changes nothing else."""
    question = "Which nerve supplies the deltoid muscle?"
    copy = ROWS[1].model_copy(update={"id": row_id(question, ""), "instruction": question})
    jsonl.write(Path("imported/mine.jsonl"), [ROWS[0], copy])
    first, out = choose(source="imported/mine"), Path("out.jsonl").read_bytes()
    write_test("two", "Draw a map of the liver.")
    assert (choose(source="imported/mine").output, Path("out.jsonl").read_bytes()) == (
        first.output,
        out,
    )
    write_test("three", question)
    done = choose(source="imported/mine")
    assert "1 of 2 rows, 1 matching a test task left out" in done.output
    assert jsonl.read(Path("out.jsonl"), Response) == [ROWS[0]]
    (gone,) = jsonl.read(Path("gone.jsonl"), Dropped)
    assert (gone.id, gone.reason, gone.witness) == (copy.id, "contamination", f"three/{copy.id}")
    counts = {"rows": 2, "chosen": 2, "kept": 1, "dropped": {"contamination": 1}}
    assert read_json(Path("m.json")) == counts
    before, after = params.read_text().split("\nstudent_rows:")
    rules = f"{before}\nstudent_rows:{after.replace('contamination: drop', 'contamination: {}', 1)}"
    params.write_text(rules.replace("contamination: {}", "contamination: report"))
    assert "warning: test tasks match 1 row\n" in choose(source="imported/mine").output
    assert jsonl.read(Path("out.jsonl"), Response) == [ROWS[0], copy]
    reported = {"matched": 1, "matched_tests": {copy.id: f"three/{copy.id}"}}
    assert read_json(Path("m.json")).items() >= reported.items()
    params.write_text(rules.replace("contamination: {}", "contamination: fail"))
    done = choose(source="imported/mine")
    assert (done.exit_code, done.output.count("\n")) == (2, 1)
    assert "set student_rows.contamination to drop or report to go on" in done.output


def test_conversations_of_several_turns_are_left_out_with_their_reason() -> None:
    turns = [
        ("user", "I cough."),
        ("assistant", "Since when?"),
        ("user", "May."),
        ("assistant", "Go."),
    ]
    messages = tuple(Message(role=role, content=text) for role, text in turns)  # type: ignore[arg-type]
    long = ROWS[1].model_copy(update={"id": messages_id(messages), "messages": messages})
    short = ROWS[0].model_copy(update={"messages": messages[:2]})
    jsonl.write(Path("imported/mine.jsonl"), [long, short])
    assert "1 of 2 rows, 1 of several turns left out" in choose(source="imported/mine").output
    assert jsonl.read(Path("out.jsonl"), Response) == [short]
    (gone,) = jsonl.read(Path("gone.jsonl"), Dropped)
    assert (gone.id, gone.reason, gone.witness) == (long.id, "several_turns", long.request)
    assert read_json(Path("m.json"))["dropped"] == {"contamination": 0, "several_turns": 1}
    assert "marked" not in read_json(Path("m.json"))
    told = (Message(role="system", content="Be brief."), *messages[:2])
    jsonl.write(Path("imported/mine.jsonl"), [short.model_copy(update={"messages": told}), long])
    done = choose(source="imported/mine")
    assert "1 of 2 rows, 1 with a system turn that is not read, 1 of several turns" in done.output
    assert read_json(Path("m.json"))["marked"] == {"system_turn_not_read": 1}
    jsonl.write(Path("imported/mine.jsonl"), [long])
    assert "no rows to learn from, 1 of several turns" in choose(source="imported/mine").output


@pytest.mark.parametrize(("role", "n"), [("user", 13), ("user", None), ("system", 13)])
def test_a_conversation_goes_for_any_turn_that_is_a_test_task(role: Any, n: int | None) -> None:
    task = "Which nerve supplies the deltoid muscle, and from which roots of the neck does it come?"
    write_test("one", task)
    turns = [("user", "I cough."), ("assistant", "Go on."), (role, task), ("assistant", "The C5.")]
    if role == "system":
        turns = [turns[2], *turns[:2]]
    messages = tuple(Message(role=who, content=text) for who, text in turns)  # type: ignore[arg-type]
    row = ROWS[1].model_copy(update={"id": messages_id(messages), "messages": messages})
    tests, settings = read_test_sets([Path("tests")]), ContaminationSettings(contamination_words=n)
    found = find_contaminated([row, ROWS[0]], ROWS, tests, settings, "")
    assert [each.task for each in found] == [row]


def test_a_student_of_whom_nothing_is_left_is_one_line() -> None:
    for name, row in enumerate(ROWS[:2]):
        write_test(f"test-{name}", row.instruction)
    assert "each of its 2 rows matches a test task" in choose(source="imported/mine").output
