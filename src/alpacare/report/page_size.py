"""The test items in the page: compressed, and shortened so that the page can be sent by mail.

First the judges' replies are left out, then the ends of long answers; the page says so. Every item,
verdict and filter stays.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from alpacare.display.html import as_compressed_json

LIMIT = 5_000_000  # bytes of the whole page: accepted by mail servers and phones
LONGEST = (4000, 2000, 1000, 500, 250)  # characters of an answer, tried in turn

Tests = Sequence[Mapping[str, Any]]


def pack_items(tests: Tests, limit: int) -> tuple[str, str]:
    """Pack the items into `limit` bytes; give them, and a sentence on what was left out, or "".

    If even the shortest form is longer, it is given all the same.
    """
    forms = _shorter_forms(tests)
    form, left_out = next(forms)
    while len(packed := as_compressed_json(form)) > limit and (shorter := next(forms, None)):
        form, left_out = shorter
    return packed, left_out


def _shorter_forms(tests: Tests) -> Iterator[tuple[Tests, str]]:
    yield tests, ""
    tests = _change_answers(tests, _without_replies)
    replies = "what the judges replied is left out"
    yield tests, replies
    for length in LONGEST:
        tests = _change_answers(tests, partial(_cut, most=length))
        yield tests, f"{replies}, and answers end after {length:,} characters"


def _change_answers(tests: Tests, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Tests:
    """Change each part with an answer: the item, and the part of each reference."""
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
