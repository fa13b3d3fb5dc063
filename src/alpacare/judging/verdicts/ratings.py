"""Ratings in a judge's reply: one JSON object with a number for each answer and criterion."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from alpacare.core.settings import Settings

_TRIES = 64  # opening braces tried as the start of an object; a real reply has a dozen
_LAST_COMMA = re.compile(r",\s*+(?=[}\]])")
_SCORE = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*(?:(?:/|out of)\s*(\d{1,9})\s*)?")


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
            keys = {_key(name) for name in names}
            if len(keys) < len(names) or "" in keys or not names:
                raise ValueError(f"names must differ and not be empty, found {names}")
        if self.lowest >= self.highest:
            raise ValueError(f"lowest {self.lowest} is not below highest {self.highest}")
        return self


def read_ratings(
    reply: str, form: Ratings, shown_texts: Sequence[str]
) -> dict[str, tuple[float, float]] | None:
    """Read (first-shown, second-shown) by criterion; None if any number is missing or ambiguous."""
    shown = [_compact(text) for text in shown_texts]
    found = [
        _ratings(value, form)
        for value, text in _objects(reply, form)
        if not any(_compact(text) in each for each in shown)
    ]
    return found[0] if found and all(each == found[0] for each in found) else None


def _compact(text: str) -> str:
    return "".join(_LAST_COMMA.sub("", text).split()).casefold()


def _key(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()


def _objects(reply: str, form: Ratings) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Give the JSON objects that rate one of the answers, and their text."""
    text = _LAST_COMMA.sub("", reply)
    decoder = json.JSONDecoder(
        strict=False, object_pairs_hook=_by_key, parse_constant=_refuse_constant
    )
    start = -1
    for _ in range(_TRIES):
        start = text.find("{", start + 1)
        if start < 0:
            return
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if {_key(form.first), _key(form.second)} & set(value):
            yield value, text[start:end]
            start = end - 1


def _by_key(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = {_key(name): value for name, value in pairs}
    if len(values) < len(pairs):
        raise ValueError("a key is repeated")
    return values


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a rating")


def _ratings(value: Mapping[str, Any], form: Ratings) -> dict[str, tuple[float, float]] | None:
    sides = [value.get(_key(name)) for name in (form.first, form.second)]
    ratings = {}
    for name in form.criteria:
        first, second = (_score(side, name, form) for side in sides)
        if first is None or second is None:
            return None
        ratings[name] = (first, second)
    return ratings


def _score(side: Any, criterion: str, form: Ratings) -> float | None:
    score = side.get(_key(criterion)) if isinstance(side, dict) else None
    score = score.get("score") if isinstance(score, dict) else score
    if isinstance(score, str) and (match := _SCORE.fullmatch(score)):
        number, of = match.groups()
        score = float(number) if of is None or int(of) == form.highest else None
    if isinstance(score, bool) or not isinstance(score, int | float):
        return None
    return float(score) if form.lowest <= score <= form.highest else None
