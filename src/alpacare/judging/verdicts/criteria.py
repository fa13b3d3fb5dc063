"""Whether criteria are met, read from a judge's reply: JSON, or a line for each criterion.

{"explanation": "It names no dose.", "criteria_met": false}
{"criteria": [{"number": 1, "explanation": "...", "criteria_met": true}, ...]}
1: met
2: not met
A wrong verdict is worse than none: what a reply says in two ways is not read.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from alpacare.records.thoughts import remove_thoughts

_TRIES = 500  # opening braces tried as the start of an object; HealthBench has some ten criteria
_MET = ("criteria_met", "criterion_met", "met")  # HealthBench's key, and shorter ones
_NUMBER = ("number", "criterion", "id")
_SAID: Mapping[str, bool] = {
    **dict.fromkeys(("true", "met", "yes"), True),
    **dict.fromkeys(("false", "not met", "unmet", "no"), False),
}
_WORDS = "|".join(sorted(_SAID, key=len, reverse=True))
_LINE = re.compile(rf"(?:criterion\s+)?(\d{{1,3}})\s*[.):\-]+\s*({_WORDS})[.!]?", re.IGNORECASE)
_ALONE = re.compile(rf"(?:(?:verdict|answer|criteria_met)\s*:\s*)?({_WORDS})[.!]?", re.IGNORECASE)
_MARKUP = str.maketrans("", "", "*_`#[]")

Met = bool | None


def read_criterion(reply: str, shown_texts: Sequence[str] = (), *, cut: bool = False) -> Met:
    """Read whether the one criterion asked about is met; None if it is not said, or in doubt.

    `shown_texts`: what the judge repeats of them is not its verdict. `cut`: the reply reached its
    token limit; then only whole JSON counts.
    """
    own = remove_thoughts(reply)
    said = [_value(each) for each in _objects(own, shown_texts)]
    if said:
        return _agreed(said)
    lines = [line for line in map(_plain, own.split("\n")) if line]
    match = _ALONE.fullmatch(lines[-1]) if lines and not cut else None
    return _SAID[match[1].lower()] if match else None


def read_criteria(reply: str, count: int, shown_texts: Sequence[str] = ()) -> list[Met]:
    """Read of each of `count` criteria whether it is met; None where it is not said, or in doubt.

    Lines are read where there is no JSON.
    """
    own = remove_thoughts(reply)
    said = [(_number(each), _value(each)) for each in _objects(own, shown_texts)]
    if not said:
        matches = (_LINE.fullmatch(_plain(line)) for line in own.split("\n"))
        said = [(int(match[1]), _SAID[match[2].lower()]) for match in matches if match]
    return [
        _agreed([met for number, met in said if number == wanted]) for wanted in range(1, count + 1)
    ]


def _agreed(said: Sequence[Met]) -> Met:
    return said[0] if said and all(each is said[0] for each in said) else None


def _plain(line: str) -> str:
    return line.translate(_MARKUP).strip(" \t\r-")


def _objects(text: str, shown_texts: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Give the objects that say of something whether it is met, at any depth.

    Of JSON that is cut off, those that are whole.
    """
    decoder = json.JSONDecoder(strict=False, object_pairs_hook=_without_repeats)
    shown, end = [*map(_compact, shown_texts)], 0
    for start in [match.start() for match in re.finditer("{", text)][:_TRIES]:
        if start < end:
            continue
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if not any(_compact(text[start:end]) in each for each in shown):
            yield from _inside(value)


def _inside(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict) and any(key in value for key in _MET):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _inside(each)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = {key.strip().lower(): value for key, value in pairs}
    if len(values) < len(pairs):
        raise ValueError("a key is repeated")
    return values


def _compact(text: str) -> str:
    return "".join(text.split()).casefold()


def _value(said: Mapping[str, Any]) -> Met:
    given = next(said[key] for key in _MET if key in said)
    return given if isinstance(given, bool) else _SAID.get(str(given).strip().lower())


def _number(said: Mapping[str, Any]) -> int | None:
    given = str(next((said[key] for key in _NUMBER if key in said), "")).strip()
    return int(given) if re.fullmatch(r"[0-9]{1,3}", given) else None
