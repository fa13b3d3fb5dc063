"""The items in the page: packed, and short enough to be sent."""

import gzip
import json
from base64 import b64decode
from random import Random
from string import ascii_letters
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from alpacare.display.html import as_compressed_json
from alpacare.report.page_size import LONGEST, pack_items


def text(seed: object, length: int) -> str:
    """Letters that pack badly."""
    return "".join(Random(str(seed)).choices(ascii_letters, k=length))


def sets_of(count: int, answer: int, reply: int) -> list[dict[str, Any]]:
    said = [["model_first", "model", text("reply", reply), {"correct": [1, 2]}]]
    pair = {"answer": [text("theirs", answer), "stop"], "judges": {"j": ["won", True, said]}}
    items = [
        {"id": str(n), "answer": [text(n, answer), "length"], "against": {"terse": pair}}
        for n in range(count)
    ]
    return [{"test": "demo", "items": items}]


def unpacked(packed: str) -> Any:
    return json.loads(gzip.decompress(b64decode(packed)))


@given(st.recursive(st.none() | st.integers() | st.text(), lambda e: st.lists(e)))
def test_what_is_packed_comes_back(value: Any) -> None:
    packed = as_compressed_json(value)
    assert unpacked(packed) == value
    assert "<" not in packed
    assert as_compressed_json(value) == packed


def test_what_fits_is_whole() -> None:
    tests = sets_of(3, 900, 90)
    packed, told = pack_items(tests, 100_000)
    assert (unpacked(packed), told) == (tests, "")


def test_replies_go_first() -> None:
    tests = sets_of(1, 100, 50_000)
    packed, told = pack_items(tests, 10_000)
    assert len(packed) <= 10_000
    assert told == "what the judges replied is left out"
    (pair,) = (item["against"]["terse"] for item in unpacked(packed)[0]["items"])
    assert pair["judges"] == {"j": ["won", True, [["model_first", "model", None, None]]]}
    assert pair["answer"] == [text("theirs", 100), "stop"]


def test_then_answers_are_shortened_and_say_so() -> None:
    packed, told = pack_items(sets_of(20, 3000, 90), 40_000)
    assert len(packed) <= 40_000
    assert told.endswith("and answers end after 1,000 characters")
    items = unpacked(packed)[0]["items"]
    assert [item["answer"] for item in items] == [[text(n, 1000), "shortened"] for n in range(20)]
    assert {item["against"]["terse"]["answer"][1] for item in items} == {"shortened"}


def test_every_item_stays_though_there_is_no_room() -> None:
    packed, told = pack_items(sets_of(50, 3000, 90), 10)
    assert len(unpacked(packed)[0]["items"]) == 50
    assert f"{LONGEST[-1]} characters" in told
