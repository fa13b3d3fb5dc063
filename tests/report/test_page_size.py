"""The items in the page: packed, and short enough to be sent."""

import gzip
import json
from base64 import b64decode
from random import Random
from string import ascii_letters
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpacare.display.html import as_compressed_json
from alpacare.report.page_size import LENGTHS, pack_items


def text(seed: object, length: int) -> str:
    """Letters that pack badly."""
    return "".join(Random(str(seed)).choices(ascii_letters, k=length))


def sets_of(count: int, answer: int, reply: int, seeds: int = 1) -> list[dict[str, Any]]:
    names = [str(seed) for seed in range(seeds)]

    def said(n: int, seed: str) -> dict[str, Any]:
        return {"j": [["model_first", text(f"reply {n} {seed}", reply), {"correct": [1, 2]}]]}

    items = [
        {
            "id": str(n),
            "answers": {
                "s": {seed: [text((n, seed), answer), "length"] for seed in names},
                "terse": {"": [text("theirs", answer), "stop"]},
            },
            "against": {"terse": {"s": {seed: {"j": "Wm/m"} for seed in names}}},
            "replies": {"terse": {"s": {seed: said(n, seed) for seed in names}}},
        }
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
    assert told == "what judges replied is left out"
    (item,) = unpacked(packed)[0]["items"]
    assert item["replies"] == {}
    assert (item["answers"], item["against"]) == (
        tests[0]["items"][0]["answers"],
        tests[0]["items"][0]["against"],
    )


@pytest.mark.parametrize(
    ("answer", "reply", "answered", "replied"),
    [(100, 5_000, "012", "0"), (5_000, 100, "0", "0")],
)
def test_the_first_seed_stays_longest(answer: int, reply: int, answered: str, replied: str) -> None:
    packed, told = pack_items(sets_of(1, answer, reply, seeds=3), 14_000)
    assert len(packed) <= 14_000
    assert "of other training seeds than the first" in told
    (item,) = unpacked(packed)[0]["items"]
    assert "".join(item["answers"]["s"]) == answered
    assert "".join(item["replies"]["terse"]["s"]) == replied
    assert "".join(item["against"]["terse"]["s"]) == "012"


def test_then_answers_are_shortened_and_say_so() -> None:
    packed, told = pack_items(sets_of(20, 3000, 90), 40_000)
    assert 25_000 < len(packed) <= 40_000
    assert told.endswith("and answers end after 1,400 characters")
    answers = [item["answers"] for item in unpacked(packed)[0]["items"]]
    assert [each["s"]["0"] for each in answers] == [
        [text((n, "0"), 1400), "shortened"] for n in range(20)
    ]
    assert {each["terse"][""][1] for each in answers} == {"shortened"}


def test_a_sample_tells_how_long_many_items_are() -> None:
    tests = sets_of(1000, 900, 90)
    limit = 700_000
    packed, told = pack_items(tests, limit)
    assert len(unpacked(packed)[0]["items"]) == 1000
    assert 0.7 * limit < len(packed) <= limit
    assert told.endswith("and answers end after 700 characters")


def test_every_item_stays_though_there_is_no_room() -> None:
    packed, told = pack_items(sets_of(50, 3000, 90), 10)
    assert len(unpacked(packed)[0]["items"]) == 50
    assert f"{LENGTHS[-1]} characters" in told
