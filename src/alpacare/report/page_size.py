"""The test items in the page: compressed, and shortened so that the page can be sent by mail.

First what judges replied is left out, then the ends of long answers, then the answers of all
training seeds but the first; the page says so. Every item, verdict and filter stays.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial, reduce
from typing import Any

from alpacare.display.html import as_compressed_json

LIMIT = 5_000_000  # bytes of the whole page: accepted by mail servers and phones
LONGEST = (4000, 2000, 1000)  # characters of an answer, tried in turn
SHORTEST = (500, 250)  # then, without the answers of later seeds

Item = dict[str, Any]
Tests = Sequence[Mapping[str, Any]]
Change = Callable[[Item], Item]


def pack_items(tests: Tests, limit: int) -> tuple[str, str]:
    """Pack the items into `limit` bytes; give them, and a sentence on what was left out, or "".

    If even the shortest form is longer, it is given all the same.
    """
    steps = list(_steps(tests))

    @cache
    def pack(taken: int) -> str:
        changes = (change for change, _ in steps[:taken])
        return as_compressed_json(reduce(_change, changes, tests))

    if len(pack(0)) <= limit:
        return pack(0), ""
    # packing takes seconds, so as few forms as possible are tried
    others = range(1, len(steps))
    taken = 1 + bisect_left(others, True, key=lambda taken: len(pack(taken)) <= limit)
    return pack(taken), steps[taken - 1][1]


def _steps(tests: Tests) -> Iterator[tuple[Change, str]]:
    """Give how the items are shortened, one step after the other, and what to say then."""
    several = any(_has_seeds(item) for each in tests for item in each["items"])
    if several:
        later = "what judges replied on other training seeds than the first is left out"
        yield partial(_without_replies, kept=1), later
    replies = "what the judges replied is left out"
    yield partial(_without_replies, kept=0), replies
    for length in LONGEST:
        yield partial(_cut, most=length), f"{replies}, and answers end after {length:,} characters"
    if several:
        replies += ", so are the answers of other training seeds than the first"
        end = f"and answers end after {LONGEST[-1]:,} characters"
        yield _without_later_answers, f"{replies}, {end}"
    for length in SHORTEST:
        yield partial(_cut, most=length), f"{replies}, and answers end after {length:,} characters"


def _change(tests: Tests, change: Change) -> Tests:
    """Change every item."""
    return [{**each, "items": [change(item) for item in each["items"]]} for each in tests]


def _has_seeds(item: Item) -> bool:
    return any(len(seeds) > 1 for seeds in item["answers"].values())


def _without_replies(item: Item, kept: int) -> Item:
    """Leave out the replies on all training seeds but so many."""
    against = {
        reference: {model: _silent(seeds, kept) for model, seeds in models.items()}
        for reference, models in item["against"].items()
    }
    return item | {"against": against}


def _silent(seeds: Mapping[str, Any], kept: int) -> dict[str, Any]:
    found = {}
    for place, (seed, judges) in enumerate(seeds.items()):
        found[seed] = judges if place < kept else {j: _bare(said) for j, said in judges.items()}
    return found


def _bare(entry: Sequence[Any]) -> list[Any]:
    outcome, same, said = entry
    return [outcome, same, [[order, verdict] for order, verdict, *_ in said]]


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
