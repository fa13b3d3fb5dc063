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

from alpacare.judging.verdicts.json_keys import by_plain_key
from alpacare.records.thoughts import remove_thoughts

_TRIES = 500  # opening braces tried as the start of an object; HealthBench has some ten criteria
_MET = ("criteriamet", "criterionmet", "met")  # HealthBench's key, and shorter ones
_NUMBER = ("number", "criterion", "id")
_SAID: Mapping[str, bool] = {
    **dict.fromkeys(("true", "met", "yes"), True),
    **dict.fromkeys(("false", "not met", "unmet", "no"), False),
}
_WORDS = "|".join(sorted(_SAID, key=len, reverse=True))
_LINE = re.compile(rf"(?:criterion )?(\d{{1,3}})\s*[.):-]+\s*({_WORDS})")
_ALONE = re.compile(rf"(?:(?:verdict|answer|criteria ?met)\s*:\s*)?({_WORDS})")
_MARKUP = str.maketrans("", "", "*_`#[]")
_PART = re.compile(r"\n|(?<=[.!?])\s+")  # between lines, or sentences

Met = bool | None


def read_criterion(reply: str, shown_texts: Sequence[str] = (), *, cut: bool = False) -> Met:
    """Read whether the one criterion asked about is met; None if it is not said, or in doubt.

    `shown_texts`: what the judge repeats of them is not its verdict. `cut`: the reply reached its
    token limit; then only whole JSON counts.
    """
    own = remove_thoughts(reply)
    said = [_value(each) for each in _objects(own, shown_texts)]
    if said or cut:
        return _agreed(said)
    matches = [_ALONE.fullmatch(line) for line in _own_lines(own, shown_texts)]
    return _agreed([_SAID[each[1]] for each in matches if each]) if any(matches[-1:]) else None


def read_criteria(
    reply: str, count: int, shown_texts: Sequence[str] = (), *, cut: bool = False
) -> list[Met]:
    """Read of each of `count` criteria whether it is met; None where it is not said, or in doubt.

    Lines are read where there is no JSON; of a reply that is `cut`, all but the last.
    """
    own = remove_thoughts(reply)
    found = ((_number(each), _value(each)) for each in _objects(own, shown_texts))
    said = [(number, met) for number, met in found if number is not None]
    if not said:
        lines = _own_lines(own.rpartition("\n")[0] if cut else own, shown_texts)
        said = [(int(match[1]), _SAID[match[2]]) for match in map(_LINE.fullmatch, lines) if match]
    if {0, count + 1} & {number for number, _ in said}:  # counted from 0, or a criterion was split
        return [None] * count
    return [
        _agreed([met for number, met in said if number == wanted]) for wanted in range(1, count + 1)
    ]


def _agreed(said: Sequence[Met]) -> Met:
    return said[0] if said and all(each is said[0] for each in said) else None


def _own_lines(reply: str, shown_texts: Sequence[str]) -> list[str]:
    """Give the lines; of several, without those that are lines or sentences of a text shown."""
    lines = [plain for line in reply.split("\n") if (plain := _plain(line))]
    if len(lines) == 1:
        return lines
    shown = {
        _plain(part) for text in shown_texts for part in (*text.split("\n"), *_PART.split(text))
    }
    return [line for line in lines if line not in shown]


def _plain(text: str) -> str:
    return " ".join(text.translate(_MARKUP).casefold().split()).strip(" -.!")


def _objects(text: str, shown_texts: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Give the objects that say of something whether it is met, at any depth.

    Of JSON that is cut off, those that are whole.
    """
    decoder = json.JSONDecoder(strict=False, object_pairs_hook=by_plain_key)
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
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, dict) and any(key in each for key in _MET):
            yield each
        left += each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()


def _compact(text: str) -> str:
    return "".join(text.split()).casefold()


def _value(said: Mapping[str, Any]) -> Met:
    given = [said[key] for key in _MET if key in said]
    return _agreed([_SAID.get(str(each).strip().lower()) for each in given])


def _number(said: Mapping[str, Any]) -> int | None:
    given = [str(said.get(key)).strip() for key in _NUMBER]
    return next((int(each) for each in given if re.fullmatch("[0-9]{1,3}", each)), None)
