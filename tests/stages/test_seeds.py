"""`seeds`: our format, the published one, and what people get wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import run

from alpacare.stages.seeds import main

SEED = {
    "topic": "Neurology",
    "view": "Student",
    "type": "Open Q&A",
    "instruction": "Explain a reflex.",
    "input": "<noinput>",
    "difficulty": "1",
}


def seeds(source: Path) -> Any:
    return run(main, source, "out.jsonl", "--metrics", "m.json", "--table", "t.csv")


def rows(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def test_the_published_spelling_is_normalised(params: Path) -> None:
    second = {**SEED, "topic": "neurology", "instruction": "B?", "difficulty": 2, "input": None}
    third = {**SEED, "topic": "Neurology", "instruction": "C?", "input": "DNA\nRNA "}
    Path("in.json").write_text(json.dumps([SEED, second, third]))
    result = seeds(Path("in.json"))
    assert result.exit_code == 0, result.output
    out = rows("out.jsonl")
    assert [row["topic"] for row in out] == ["Neurology"] * 3
    assert [row["input"] for row in out] == ["", "", "DNA\nRNA"]
    assert [row["difficulty"] for row in out] == [1, 2, 1]
    assert {row["type"] for row in out} == {"open QA"}
    metrics = json.loads(Path("m.json").read_text())
    assert metrics["seeds"] == 3
    assert metrics["topics"] == 1
    assert metrics["without_input"] == 2
    assert metrics["types"] == {"open QA": 3}
    assert metrics["difficulty"] == {"1": 2, "2": 1}
    assert "topic,Neurology,3" in Path("t.csv").read_text().splitlines()


def test_a_topic_that_is_a_formula_is_text_in_the_table(params: Path) -> None:
    Path("in.json").write_text(json.dumps([SEED | {"topic": "=1+1", "view": "-0.5"}]))
    assert seeds(Path("in.json")).exit_code == 0
    assert rows("out.jsonl")[0]["topic"] == "=1+1"
    assert {"topic,'=1+1,1", "view,-0.5,1"} <= {*Path("t.csv").read_text().splitlines()}


def test_control_characters_go_and_are_counted(params: Path) -> None:
    seed = {**SEED, "instruction": "Explain\x00 \x1b[1mreflexes\x1b[0m.", "input": "\u200b"}
    Path("in.json").write_text(json.dumps([seed]))
    result = seeds(Path("in.json"))
    assert "repaired: texts with control characters, now without (1)" in result.output
    assert "repaired: texts of invisible characters, read as empty (1)" in result.output
    assert rows("out.jsonl")[0]["instruction"] == "Explain reflexes."
    assert rows("out.jsonl")[0]["input"] == ""


def take(params: Path, number: int, order: int = 1, seed: int = 0) -> list[dict[str, Any]]:
    """Draw from 24 seeds of three types, sorted by type, which stand in a ratio of 3 : 2 : 1."""
    kinds = ["chat"] * 12 + ["open QA"] * 8 + ["rewriting"] * 4
    made = [{**SEED, "instruction": f"{n}?", "type": kind} for n, kind in enumerate(kinds)]
    Path("in.json").write_text(json.dumps(made[::order]))
    params.write_text(f"seeds: {{take: {number}, seed: {seed}}}\n")
    result = seeds(Path("in.json"))
    assert result.exit_code == 0, result.output
    return rows("out.jsonl")


@pytest.mark.parametrize(
    ("number", "shares"),
    [(12, [6, 4, 2]), (3, [1, 1, 1]), (1, [1, 0, 0]), (5, [2, 2, 1]), (99, [12, 8, 4])],
)
def test_take_draws_each_type_its_share(params: Path, number: int, shares: list[int]) -> None:
    types = [row["type"] for row in take(params, number)]
    assert [types.count(kind) for kind in ("chat", "open QA", "rewriting")] == shares
    assert types == sorted(types)


def test_the_draw_depends_on_its_seed_and_on_no_order(params: Path) -> None:
    drawn = take(params, 12)
    assert take(params, 12, order=-1) == drawn[::-1]
    assert take(params, 12, seed=1) != drawn


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "in.jsonl: no seed tasks"),
        ("[]", "in.jsonl: no seed tasks"),
        (json.dumps(SEED) + '\n{"topic": "Neu', "in.jsonl:2: not valid JSON"),
        (json.dumps([SEED])[:-9], "in.jsonl: not valid JSON"),
        (json.dumps({**SEED, "instruction": " "}), "in.jsonl:1: 'instruction' is missing or empty"),
        (json.dumps({**SEED, "type": "quiz"}), "in.jsonl:1: type 'quiz' is none of the ten"),
        (json.dumps({**SEED, "difficulty": "x"}), "in.jsonl:1: difficulty 'x' is not a number"),
        (json.dumps({**SEED, "difficulty": 0}), "in.jsonl:1: difficulty 0 is not a number"),
        (json.dumps({**SEED, "instruction": True}), "'instruction' must be text, found bool"),
        (json.dumps({**SEED, "input": {"a": 1}}), "'input' must be text, found dict"),
        (json.dumps({**SEED, "inputs": "BP"}), "in.jsonl:1: unknown field 'inputs'; a seed has"),
        ("[" * 99999, "in.jsonl: not valid JSON"),
        (json.dumps([SEED, SEED]), "row 2: the same task as in.jsonl: row 1"),
        (
            json.dumps([SEED | {"instruction": text} for text in ("Caf\u00e9?", "Cafe\u0301?")]),
            "row 2: the same task as in.jsonl: row 1",
        ),
        (json.dumps({**SEED, "instruction": "\u200b\u200d"}), "'instruction' is missing or empty"),
        (json.dumps({**SEED, "topic": "\x1b[2J\u3164"}), "'topic' is missing or empty"),
        (
            json.dumps({**SEED, "x\x1b[31m": 1}),
            "unknown field 'x\\x1b[31m'; a seed",
        ),
        (json.dumps([SEED, 3]), "row 2: expected a JSON object, found int"),
    ],
)
def test_bad_seeds_stop_with_their_place_and_touch_nothing(
    params: Path, text: str, message: str
) -> None:
    Path("in.jsonl").write_text(text)
    Path("out.jsonl").write_text("earlier output")
    result = seeds(Path("in.jsonl"))
    assert result.exit_code == 2
    assert message in result.output
    assert len(result.output.strip().splitlines()) == 1
    assert Path("out.jsonl").read_text() == "earlier output"
    assert not Path("m.json").exists()
