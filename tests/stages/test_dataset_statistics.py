"""`statistics`: figures worked out by hand, published ones, and wrong input."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, run

from alpacare.records.message import Message, messages_id
from alpacare.records.task import row_id
from alpacare.stages import seeds as seeds_stage
from alpacare.stages.statistics import main

MED_SEED = REPOSITORY.parent / "shared/data/alpacare/med_seed.json"
TABLES = ("kinds", "verbs", "lengths", "nearest")


def row(instruction: str, input: str = "", **more: Any) -> dict[str, Any]:
    id = row_id(instruction, input)
    return {"id": id, "instruction": instruction, "input": input, **more}


SEEDS = [
    row("List three signs of shock.", type="open QA", topic="Surgery", view="nurse", difficulty=1),
    row("List three risks of shock.", type="open QA", topic="surgery", view="nurse", difficulty=2),
    row("Write a letter.", "Dear Sir", type="chat", topic="Surgery", view="pupil", difficulty=1),
    row("Why is this?", "BP 90", type="rewriting", topic="Heart", view="Nurse", difficulty=3),
]
RESPONSES = [
    row("List three signs of shock.", output="Pallor, thirst, haste.", finish_reason="stop"),
    row("Write a letter.", "Dear Sir", output="Dear Sir, I write", finish_reason="length"),
    row("Why is this?", "BP 90", output="I'm sorry, but I can't help.", finish_reason="stop"),
    row("Explain how statins work.", output="They do.", finish_reason="unknown"),
]


def write(path: str, rows: list[dict[str, Any]]) -> Path:
    Path(path).write_text("".join(json.dumps(each) + "\n" for each in rows))
    return Path(path)


def statistics(rows: Path, *more: object, out: str = "out") -> Any:
    tables = [word for name in TABLES for word in (f"--{name}", f"{out}/{name}.csv")]
    return run(main, rows, f"{out}.json", *tables, *more)


def figures(out: str = "out") -> Any:
    return json.loads(Path(f"{out}.json").read_text())


def table(name: str, out: str = "out") -> list[list[str]]:
    with Path(f"{out}/{name}.csv").open() as file:
        return list(csv.reader(file))


def test_a_conversation_is_counted_by_its_first_question() -> None:
    turns = [("user", "I cough."), ("assistant", "Since when?"), ("user", "May.")]
    said = tuple(Message(role=role, content=text) for role, text in turns)  # type: ignore[arg-type]
    messages = [turn.model_dump() for turn in (*said, Message(role="assistant", content="Go."))]
    first = {"id": messages_id(said), "instruction": "I cough.", "input": "", "output": "Go."}
    result = statistics(write("rows.jsonl", [first | {"messages": messages}, RESPONSES[3]]))
    assert "2 rows, 2 without input" in result.output


def test_seeds_by_hand() -> None:
    result = statistics(write("seeds.jsonl", SEEDS))
    assert result.exit_code == 0, result.output
    assert "4 rows, 2 without input; 3 types; 3 pairs of verb and object in 3 rows" in result.output
    found = figures()
    assert (found["rows"], found["without_input"], found["without_input_share"]) == (4, 2, 0.5)
    assert found["kinds"]["type"]["entropy_bits"] == 1.5  # 2, 1, 1
    assert found["kinds"]["difficulty"]["entropy_bits"] == 1.5
    assert found["kinds"]["topic"]["entropy_bits"] == 0.8113  # 3, 1
    assert found["kinds"]["view"]["distinct"] == 2
    verbs = found["verbs"]
    assert (verbs["with_verb"], verbs["top_covers"], verbs["top_covers_share"]) == (3, 3, 0.75)
    assert verbs["pair_entropy_bits"] == 1.585  # log2 3
    assert found["words"]["instruction"]["mean"] == 4.0  # 5, 5, 3, 3
    assert found["words"]["input"]["rows"] == 2
    assert found["words"]["output"] is None
    assert found["answers"] is None
    # "list three signs of shock" and "... risks ..." share 4 of 5 words
    assert found["nearest"]["rows"]["max"] == 0.8
    assert found["nearest"]["rows"]["mean"] == 0.4
    assert found["nearest"]["seeds"] is None


def test_the_tables_hold_every_row() -> None:
    statistics(write("seeds.jsonl", SEEDS))
    kinds = table("kinds")
    assert kinds[0] == ["field", "value", "rows"]
    assert ["type", "open QA", "2"] in kinds
    assert ["topic", "Surgery", "3"] in kinds
    assert ["difficulty", "1", "2"] in kinds
    assert table("verbs")[1:] == [
        ["list", "risk", "1"],
        ["list", "sign", "1"],
        ["write", "letter", "1"],
    ]
    lengths = [line for line in table("lengths") if line[0] == "instruction"]
    assert lengths == [["instruction", "3", "4", "2"], ["instruction", "5", "6", "2"]]
    near = table("nearest")[1:]
    assert sum(int(count) for *_, count in near) == 4
    assert ["rows", "0.8", "0.85", "2"] in near
    assert ["rows", "0.0", "0.05", "2"] in near


def test_responses_by_hand() -> None:
    result = statistics(write("responses.jsonl", RESPONSES))
    assert "unknown types" in result.output
    found = figures()
    assert found["kinds"] == {"type": None, "topic": None, "view": None, "difficulty": None}
    assert table("kinds") == [["field", "value", "rows"]]
    assert found["answers"] == {
        "rows": 4,
        "finish_known": 3,
        "cut_off": 1,
        "cut_off_share": 0.3333,
        "unfinished": 1,
        "unfinished_share": 0.25,
        "refused": 1,
        "refused_share": 0.25,
        "empty": 0,
    }
    assert found["words"]["output"]["mean"] == 3.8  # 3, 4, 6, 2


def test_unknown_finish_reasons_are_null() -> None:
    rows = [{**each, "finish_reason": "unknown"} for each in RESPONSES]
    statistics(write("imported.jsonl", rows))
    answers = figures()["answers"]
    assert (answers["cut_off"], answers["cut_off_share"]) == (None, None)
    assert answers["unfinished"] == 1


def test_seeds_are_compared_with_instead_of_other_rows() -> None:
    tasks = write("tasks.jsonl", [row("List three signs of sepsis."), row("Define gout.")])
    assert statistics(tasks, "--seeds", write("seeds.jsonl", SEEDS)).exit_code == 0
    near = figures()["nearest"]
    assert near["seeds"]["max"] == 0.8
    assert near["rows"] is None
    assert {among for among, *_ in table("nearest")[1:]} == {"seeds"}
    assert ["seeds", "0.8", "0.85", "1"] in table("nearest")


def test_imported_rows_may_lack_labels_or_write_them_otherwise() -> None:
    rows = [
        row("Explain gout.", type="Open Q&A", difficulty="Level 3", topic=" ", view=None),
        row("Explain mumps.", type="quiz", difficulty="hard", source="a book"),
    ]
    assert statistics(write("imported.jsonl", rows)).exit_code == 0
    kinds = figures()["kinds"]
    assert (kinds["type"]["known"], kinds["type"]["unknown"]) == (1, 1)
    assert kinds["difficulty"]["known"] == 1
    assert kinds["topic"] is None
    assert ["type", "open QA", "1"] in table("kinds")


def test_rare_values_are_counted_in_one_line() -> None:
    rows = [row(f"Explain case {n}.", topic=f"topic {n:03}") for n in range(103)]
    statistics(write("rows.jsonl", rows))
    topics = [line for line in table("kinds") if line[0] == "topic"]
    assert len(topics) == 101
    assert topics[-1] == ["topic", "", "3"]


def test_the_same_rows_give_the_same_bytes() -> None:
    rows = write("rows.jsonl", SEEDS)
    statistics(rows)
    statistics(rows, out="again")
    for end in (".json", *(f"/{name}.csv" for name in TABLES)):
        assert Path(f"out{end}").read_bytes() == Path(f"again{end}").read_bytes()


@pytest.mark.skipif(not MED_SEED.exists(), reason="AlpaCare's seed file is not here")
def test_the_published_seeds_have_their_published_figures(params: Path) -> None:
    run(seeds_stage.main, MED_SEED, "seeds.jsonl", "--metrics", "m.json", "--table", "t.csv")
    assert statistics(Path("seeds.jsonl")).exit_code == 0
    found = figures()
    assert (found["rows"], found["without_input"]) == (167, 55)
    assert round(found["kinds"]["difficulty"]["entropy_bits"], 2) == 2.20
    types = {value: int(count) for field, value, count in table("kinds") if field == "type"}
    assert types == {
        "open QA": 25,
        "text generation": 24,
        "classification": 19,
        "chat": 18,
        "multiple-choice QA": 16,
        "summarization": 16,
        "rewriting": 15,
        "single-hop reasoning": 13,
        "USMLE-style QA": 11,
        "multi-hop reasoning": 10,
    }
    instruction, input = found["words"]["instruction"], found["words"]["input"]
    assert [instruction[key] for key in ("mean", "median", "min", "max")] == [13.4, 12, 6, 36]
    assert [input[key] for key in ("rows", "mean", "median", "min", "max")] == [
        112, 40.8, 28.5, 3, 207,
    ]  # fmt: skip
    assert round(found["nearest"]["rows"]["mean"], 3) == 0.376
    assert round(found["nearest"]["rows"]["max"], 3) == 0.696


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "rows.jsonl: no rows to describe"),
        ('{"id": "a"', "rows.jsonl:1: not valid JSON"),
        (json.dumps({"id": "a", "input": ""}), "rows.jsonl:1: field 'instruction'"),
        (json.dumps({**SEEDS[0], "id": "x"}), "rows.jsonl:1: id 'x' is not the hash"),
        (json.dumps({**SEEDS[0], "output": 5}), "rows.jsonl:1: field 'output'"),
        (json.dumps(SEEDS[0]) + "\n" + json.dumps(SEEDS[0]), "is already on line 1"),
    ],
)
def test_bad_rows_stop_with_their_place_and_touch_nothing(text: str, message: str) -> None:
    Path("rows.jsonl").write_text(text)
    Path("out.json").write_text("earlier output")
    result = statistics(Path("rows.jsonl"))
    assert result.exit_code == 2
    assert message in result.output
    assert len(result.output.strip().splitlines()) == 1
    assert Path("out.json").read_text() == "earlier output"
    assert not Path("out").exists()


def test_other_wrong_files() -> None:
    rows = write("rows.jsonl", SEEDS)
    assert "none.jsonl: no such file" in statistics(Path("none.jsonl")).output
    assert "no.jsonl: no such file" in statistics(rows, "--seeds", "no.jsonl").output
    write("empty.jsonl", [])
    result = statistics(rows, "--seeds", "empty.jsonl")
    assert (result.exit_code, Path("out.json").exists()) == (2, False)
    assert "empty.jsonl: no rows to describe" in result.output
    assert "would be overwritten" in statistics(rows, "--kinds", rows).output
