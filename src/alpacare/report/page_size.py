"""The test items in the page: compressed, and shortened so that the page can be sent by mail.

First what judges replied on all training seeds but the first is left out, then the answers of those
seeds, then all replies, then the ends of long answers; the page says so. Every item, verdict and
filter stays.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from alpacare.display.html import as_compressed_json

LIMIT = 5_000_000  # bytes of the whole page: accepted by mail servers and phones
LENGTHS = (4000, 2000, 1400, 1000, 700, 500, 250)  # characters of an answer, tried in turn
SAMPLE = 100  # items that tell how long all are
HOPE = 0.97  # of the length that a sample foretells: a form that just fits is not passed over

Item = dict[str, Any]
Tests = Sequence[Mapping[str, Any]]
Change = Callable[[Item], Item]


def pack_items(tests: Tests, limit: int) -> tuple[str, str]:
    """Pack the items into `limit` bytes; give them, and a sentence on what was left out, or "".

    If even the shortest form is longer, it is given all the same.
    """
    forms: list[tuple[Change | None, str]] = [(None, ""), *_steps(tests)]
    size, share = _sample(tests)
    for change, told in forms:
        if change:
            tests, size = _change(tests, change), _change(size, change)
        last = told == forms[-1][1]
        # packing everything takes seconds: only forms that a sample says may fit are tried
        if last or len(as_compressed_json(size)) * share * HOPE <= limit:
            packed = as_compressed_json(tests)
            if last or len(packed) <= limit:
                return packed, told
    raise AssertionError("the last form is always taken")


def _sample(tests: Tests) -> tuple[Tests, float]:
    """Give some of the items, evenly drawn, and how many times as many there are."""
    count = sum(len(each["items"]) for each in tests)
    step = max(1, count // SAMPLE)
    few = [{**each, "items": each["items"][::step]} for each in tests]
    return few, count / max(1, sum(len(each["items"]) for each in few))


def _steps(tests: Tests) -> Iterator[tuple[Change, str]]:
    """Give how the items are shortened, one step after the other, and what to say then."""
    replies = "what judges replied is left out"
    if any(_has_seeds(item) for each in tests for item in each["items"]):
        later = "answers of other training seeds than the first"
        yield partial(_without_replies, kept=1), f"what judges replied on {later} is left out"
        yield _without_later_answers, f"{later} and what judges replied on them are left out"
        replies = f"{later} and all that judges replied are left out"
    yield partial(_without_replies, kept=0), replies
    for length in LENGTHS:
        yield partial(_cut, most=length), f"{replies}, and answers end after {length:,} characters"


def _change(tests: Tests, change: Change) -> Tests:
    """Change every item."""
    return [{**each, "items": [change(item) for item in each["items"]]} for each in tests]


def _has_seeds(item: Item) -> bool:
    return any(len(seeds) > 1 for seeds in item["answers"].values())


def _without_replies(item: Item, kept: int) -> Item:
    """Leave out the replies on all training seeds but so many."""
    replies = {
        reference: {name: dict(list(seeds.items())[:kept]) for name, seeds in models.items()}
        for reference, models in item["replies"].items()
        if kept
    }
    return item | {"replies": replies}


def _cut(item: Item, most: int) -> Item:
    answers = {
        name: {
            seed: answer if len(answer[0]) <= most else [answer[0][:most], "shortened"]
            for seed, answer in seeds.items()
        }
        for name, seeds in item["answers"].items()
    }
    return item | {"answers": answers}


def _without_later_answers(item: Item) -> Item:
    first = {name: dict([next(iter(seeds.items()))]) for name, seeds in item["answers"].items()}
    return item | {"answers": first}
