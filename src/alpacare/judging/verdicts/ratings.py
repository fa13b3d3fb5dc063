"""Ratings in a judge's reply: one JSON object with a number for each answer and criterion."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from alpacare.core.settings import Settings
from alpacare.judging.verdicts.json_keys import by_plain_key, plain_key

_TRIES = 64  # opening braces tried as the start of an object; a real reply has a dozen
_LAST_COMMA = re.compile(r",\s*+(?=[}\]])")
_SCORE = re.compile(r"\s*(-?\d{1,9}(?:\.\d{1,99})?)\s*(?:(?:/|out of)\s*(\d{1,9})\s*)?")
Rated = Mapping[str, tuple[float, float]]


class Ratings(Settings):
    """A reply such as `{"output_1": {"correctness": {"score": 4, "justification": ...}}, ...}`.

    `first` and `second` are the keys of the two answers, as shown. Means over the criteria that
    differ by at most `tie_margin` are a tie.
    """

    form: Literal["ratings"]
    first: str
    second: str
    criteria: list[str]
    lowest: int
    highest: int
    tie_margin: float = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for names in ([self.first, self.second], self.criteria):
            keys = {*map(plain_key, names)}
            if len(keys) < len(names) or "" in keys or not names:
                raise ValueError(f"names must differ and not be empty, found {names}")
        if self.lowest >= self.highest:
            raise ValueError(f"lowest {self.lowest} is not below highest {self.highest}")
        return self


def read_ratings(reply: str, form: Ratings, shown_texts: Sequence[str]) -> Rated | None:
    """Read (first-shown, second-shown) by criterion; None if any number is missing or ambiguous."""
    shown = [*map(_compact, shown_texts)]
    found = [
        _rated(value, form)
        for value, text in _objects(_LAST_COMMA.sub("", reply), form)
        if not any(_compact(text) in each for each in shown)
    ]
    return found[0] if found and all(each == found[0] for each in found) else None


def _compact(text: str) -> str:
    return "".join(_LAST_COMMA.sub("", text).split()).casefold()


def _objects(text: str, form: Ratings) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Give the JSON objects that rate one of the answers, and their text.

    Of those inside such an object, the ones that rate both in full.
    """
    decoder = json.JSONDecoder(strict=False, object_pairs_hook=by_plain_key)
    end, sides = 0, {plain_key(form.first), plain_key(form.second)}
    for start in [match.start() for match in re.finditer("{", text)][:_TRIES]:
        try:
            value, stop = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if sides & {*value} and (start >= end or _rated(value, form)):
            yield value, text[start:stop]
            end = max(end, stop)


def _rated(value: Mapping[str, Any], form: Ratings) -> Rated | None:
    sides = [value.get(plain_key(name)) for name in (form.first, form.second)]
    rated = {}
    for name in form.criteria:
        first, second = (_score(side, plain_key(name), form) for side in sides)
        if first is None or second is None:
            return None
        rated[name] = (first, second)
    return rated


def _score(side: Any, key: str, form: Ratings) -> float | None:
    given = side.get(key) if isinstance(side, dict) else None
    given = given.get("score") if isinstance(given, dict) else given
    match = _SCORE.fullmatch(str(given))
    if not match or match[2] not in {None, str(form.highest)}:
        return None
    return float(match[1]) if form.lowest <= float(match[1]) <= form.highest else None
