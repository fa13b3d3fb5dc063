"""How what a dataset looks like moved between two versions: types, lengths, root verbs."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from statistics import median
from typing import NamedTuple

from alpacare.comparison.dataset_diff import DatasetDiff, Rows
from alpacare.statistics.dataset import DatasetRow
from alpacare.statistics.lengths import count_words
from alpacare.statistics.verbs import root_verb

_SHOWN = 5  # values of a kind whose share moved most
_LEAST = 1.0  # percentage points: less is not worth a line


class Shift(NamedTuple):
    """A figure then and now; a percentage of the rows, or a median number of words."""

    what: str
    then: float
    now: float
    is_share: bool


def shifts(found: DatasetDiff) -> Iterator[Shift]:
    """Give the medians that moved, then the types and verbs whose shares moved most."""
    for what, words in _TEXTS.items():
        then, now = (_median(rows, words) for rows in (found.then, found.now))
        if then is not None and now is not None and then != now:
            yield Shift(f"words in {what}, median", then, now, False)
    for name, kind in _KINDS.items():
        yield from _moved(name, _shares(found.then, kind), _shares(found.now, kind))


def _shares(rows: Rows, kind: Callable[[DatasetRow], str | None]) -> dict[str, float]:
    """Give each value's percentage of the rows."""
    found = Counter(filter(None, map(kind, rows.values())))
    return {value: 100 * number / len(rows) for value, number in found.items()}


def _moved(name: str, then: Mapping[str, float], now: Mapping[str, float]) -> list[Shift]:
    """Give the values whose shares moved most, at least by a point."""
    values = [
        Shift(f"{name} {each}", then.get(each, 0.0), now.get(each, 0.0), True)
        for each in {**then, **now}
    ]
    moved = [each for each in values if abs(each.now - each.then) >= _LEAST]
    return sorted(moved, key=lambda each: (-abs(each.now - each.then), each.what))[:_SHOWN]


def _median(rows: Rows, words: Callable[[DatasetRow], int | None]) -> float | None:
    known = [number for row in rows.values() if (number := words(row)) is not None]
    return float(median(known)) if known else None


def _output_words(row: DatasetRow) -> int | None:
    return None if row.output is None else count_words(row.output)


_TEXTS: dict[str, Callable[[DatasetRow], int | None]] = {
    "instructions": lambda row: count_words(row.instruction),
    "inputs": lambda row: count_words(row.input) if row.input else None,
    "outputs": _output_words,
}
_KINDS: dict[str, Callable[[DatasetRow], str | None]] = {
    "type": lambda row: row.kind("type"),
    "verb": lambda row: root_verb(row.instruction)[0],
}
