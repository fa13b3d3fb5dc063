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
from alpacare.report.page_size import SHORTEST, pack_items


def text(seed: object, length: int) -> str:
    """Letters that pack badly."""
    return "".join(Random(str(seed)).choices(ascii_letters, k=length))


def sets_of(count: int, answer: int, reply: int, seeds: int = 1) -> list[dict[str, Any]]:
    def say(name: str) -> list[Any]:
        return ["model_first", "model", text(f"reply {name}", reply), {"correct": [1, 2]}]

    items = [
        {
            "id": str(n),
            "answers": {
                "s": {str(seed): [text((n, seed), answer), "length"] for seed in range(seeds)},
                "terse": {"": [text("theirs", answer), "stop"]},
            },
            "against": {
                "terse": {
                    "s": {
                        str(seed): {"j": ["won", True, [say(f"{n} {seed}")]]}
                        for seed in range(seeds)
                    }
                }
            },
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
    assert told == "what the judges replied is left out"
    (item,) = unpacked(packed)[0]["items"]
    assert item["against"]["terse"]["s"]["0"] == {"j": ["won", True, [["model_first", "model"]]]}
    assert item["answers"] == tests[0]["items"][0]["answers"]


def test_those_on_the_first_seed_go_last() -> None:
    packed, told = pack_items(sets_of(1, 100, 5_000, seeds=3), 8_000)
    assert len(packed) <= 8_000
    assert told == "what judges replied on other training seeds than the first is left out"
    (item,) = unpacked(packed)[0]["items"]
    said = {seed: judges["j"][2][0] for seed, judges in item["against"]["terse"]["s"].items()}
    assert [len(said[seed]) for seed in "012"] == [4, 2, 2]


def test_then_answers_are_shortened_and_say_so() -> None:
    packed, told = pack_items(sets_of(20, 3000, 90), 40_000)
    assert len(packed) <= 40_000
    assert told.endswith("and answers end after 1,000 characters")
    answers = [item["answers"] for item in unpacked(packed)[0]["items"]]
    assert [each["s"]["0"] for each in answers] == [
        [text((n, 0), 1000), "shortened"] for n in range(20)
    ]
    assert {each["terse"][""][1] for each in answers} == {"shortened"}


def test_then_the_answers_of_later_seeds_go_and_their_verdicts_stay() -> None:
    packed, told = pack_items(sets_of(20, 3000, 90, seeds=3), 40_000)
    assert len(packed) <= 40_000
    assert "so are the answers of other training seeds than the first" in told
    assert told.endswith("and answers end after 1,000 characters")
    for item in unpacked(packed)[0]["items"]:
        assert set(item["answers"]["s"]) == {"0"}
        assert set(item["against"]["terse"]["s"]) == {"0", "1", "2"}


def test_every_item_stays_though_there_is_no_room() -> None:
    packed, told = pack_items(sets_of(50, 3000, 90), 10)
    assert len(unpacked(packed)[0]["items"]) == 50
    assert f"{SHORTEST[-1]} characters" in told
