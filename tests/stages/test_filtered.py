"""`filtered`: both keep rules, witnesses, counts."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import run
from hypothesis import given
from hypothesis import strategies as st

from alpacare import jsonl
from alpacare.records.task import Instruction, row_id
from alpacare.stages.filtered import choose, main
from alpacare.text.rouge import Pair


def instruction(text: str, input: str = "") -> Instruction:
    return Instruction(
        id=row_id(text, input),
        instruction=text,
        input=input,
        type="chat",
        topic="t",
        view="v",
        difficulty=1,
        request="r",
        index=0,
        seeds=[],
    )


def filtered(texts: list[str]) -> Any:
    jsonl.write(Path("in.jsonl"), [instruction(text) for text in texts])
    result = run(main, "in.jsonl", "out.jsonl", "--dropped", "d.jsonl", "--metrics", "m.json")
    assert result.exit_code == 0, result.output
    kept = [json.loads(line)["instruction"] for line in Path("out.jsonl").read_text().splitlines()]
    dropped = [json.loads(line) for line in Path("d.jsonl").read_text().splitlines()]
    return kept, dropped, json.loads(Path("m.json").read_text())


TEXTS = [
    "explain why the heart beats faster when a healthy person runs",
    "name the bones of the hand",
    "explain why the heart beats faster when a healthy person climbs",
    "explain why the heart beats slower when a healthy person climbs",
]


def test_keep_first_keeps_one_of_each_near_pair(params: Path) -> None:
    kept, dropped, metrics = filtered(TEXTS)
    assert kept == TEXTS[:2]
    assert [row["witness"] for row in dropped] == [row_id(TEXTS[0], "")] * 2
    assert [row["score"] for row in dropped] == [0.909091, 0.818182]
    assert metrics == {
        "instructions": 4,
        "kept": 2,
        "kept_share": 0.5,
        "dropped": {"rouge_l": 2},
    }


def test_keep_none_drops_every_one_of_a_near_pair(params: Path) -> None:
    params.write_text(params.read_text().replace("keep: first", "keep: none"))
    kept, dropped, _ = filtered(TEXTS)
    assert kept == [TEXTS[1]]
    assert [row["witness"] for row in dropped] == [
        row_id(TEXTS[i], "") for i in (2, 0, 2)
    ]  # each names its nearest, the earlier on a tie


@pytest.mark.parametrize("texts", [[], ["alone"]])
def test_nothing_to_compare(params: Path, texts: list[str]) -> None:
    kept, dropped, metrics = filtered(texts)
    assert (kept, dropped, metrics["kept"]) == (texts, [], len(texts))


pairs = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=25).map(
    lambda drawn: [Pair(a, b, 0.8) for a, b in sorted(set(drawn), key=lambda p: p[::-1]) if a < b]
)


@given(pairs)
def test_keep_first_is_the_greedy_rule(drawn: list[Pair]) -> None:
    kept: list[int] = []
    for position in range(10):
        if not any((p.first in kept) and p.second == position for p in drawn):
            kept.append(position)
    assert sorted(set(range(10)) - choose(drawn, "first").keys()) == kept


@given(pairs)
def test_keep_none_leaves_no_row_that_was_in_a_pair(drawn: list[Pair]) -> None:
    assert choose(drawn, "none").keys() == {p.first for p in drawn} | {p.second for p in drawn}
