"""The test items as the page holds them: packed, and so many that the page can be sent to somebody.

First the judges' replies go, then the ends of long answers; what went is told on the page. Every
item, verdict and filter stays.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from alpacare.display.html import as_packed_data

LIMIT = 5_000_000  # bytes of the whole page: what mail servers and phones take without asking
LONGEST = (4000, 2000, 1000, 500, 250)  # characters of an answer, tried in turn

Tests = Sequence[Mapping[str, Any]]


def pack_items(tests: Tests, room: int) -> tuple[str, str]:
    """Pack the items into `room` bytes; give them, and a sentence on what was left out, or ''.

    Where even the shortest form takes more, it is given all the same.
    """
    shorter = _ever_shorter(tests)
    form, told = next(shorter)
    while len(packed := as_packed_data(form)) > room and (following := next(shorter, None)):
        form, told = following
    return packed, told


def _ever_shorter(tests: Tests) -> Iterator[tuple[Tests, str]]:
    yield tests, ""
    tests = _with_pairs(tests, _without_replies)
    replies = "what the judges replied is left out"
    yield tests, replies
    for length in LONGEST:
        tests = _with_pairs(tests, partial(_cut, most=length))
        yield tests, f"{replies}, and answers end after {length:,} characters"


def _with_pairs(tests: Tests, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Tests:
    """Change what holds an answer: each item, and each reference's part of it."""
    return [
        {
            **each,
            "items": [
                change(item)
                | {"against": {name: change(pair) for name, pair in item["against"].items()}}
                for item in each["items"]
            ],
        }
        for each in tests
    ]


def _without_replies(pair: dict[str, Any]) -> dict[str, Any]:
    if "judges" not in pair:
        return pair
    judges = {
        judge: [outcome, same, [[order, verdict, None, None] for order, verdict, *_ in said]]
        for judge, (outcome, same, said) in pair["judges"].items()
    }
    return pair | {"judges": judges}


def _cut(pair: dict[str, Any], most: int) -> dict[str, Any]:
    text, _ = pair["answer"]
    return pair if len(text) <= most else pair | {"answer": [text[:most], "shortened"]}
