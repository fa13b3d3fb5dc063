"""Errors planted by rule into copies of answers: each is known, so a verifier can be measured.

A rule changes the first place that fits: a dose becomes ten times as much, mg and mcg change
places, a negation is taken out (or put in, where there is none), left and right change places in
front of a part of the body. A rule does not know medicine: now and then the changed answer is
still right, so the share of planted errors that is found is a lower bound.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from alpacare.records.answer_check import PlantedError
from alpacare.records.response import Response

_UNITS = r"(?:mcg|mg|[µμ]g|g|ml|units?|iu|mmol)"
_DOSE = re.compile(rf"(?<![\d.,/])(\d{{1,4}}(?:\.\d+)?)(?=[ \u00a0-]?{_UNITS}\b)", re.IGNORECASE)
_UNIT = re.compile(r"(?<=\d)([ \u00a0-]?)(mg|mcg|[µμ]g)\b")
_VERB = r"is|are|was|were|do|does|did|should|must|can|could|may|will|would|has|have"
_WEAK = r"(?: (?:only|just|always|necessarily|all|hesitate)\b)"  # "not only": no denial
_NEGATION = re.compile(
    rf"\b({_VERB}) not\b(?!{_WEAK})|\b(can)not\b(?!{_WEAK})|"
    rf"\b(is|are|was|were|do|does|did|should|could|would|has|have)n['\u2019]t\b(?!{_WEAK})",
    re.IGNORECASE,
)
_STATEMENT = re.compile(r"\b(should|must|is|are)\b(?! not\b|n['\u2019]t\b)", re.IGNORECASE)
_BODY = (
    r"arm|leg|hand|foot|eye|ear|knee|hip|shoulder|elbow|wrist|ankle|thigh|calf|lung|kidney|breast|"
    r"ovary|testicle|ventric|atri|heart|coronary|carotid|femoral|bundle|hemi|lobe|flank|iliac|"
    r"chest|side|upper|lower"
)
_SIDE = re.compile(rf"\b(left|right)(?=[ -](?:{_BODY}))", re.IGNORECASE)
_OTHER_SIDE = {"left": "right", "right": "left", "Left": "Right", "Right": "Left"}


@dataclass(frozen=True)
class Planted:
    """A copy of a row whose answer has one error."""

    row: Response
    error: PlantedError


def _ten_times(match: re.Match[str]) -> str:
    number = format(Decimal(match[1]) * 10, "f")
    return number.rstrip("0").rstrip(".") if "." in number else number


def _other_unit(match: re.Match[str]) -> str:
    return f"{match[1]}{'mcg' if match[2] == 'mg' else 'mg'}"


def _affirmed(match: re.Match[str]) -> str:
    return "".join(filter(None, match.groups()))


_RULES: Mapping[str, Sequence[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]]] = {
    "dose": [(_DOSE, _ten_times)],
    "unit": [(_UNIT, _other_unit)],
    "laterality": [(_SIDE, lambda match: _OTHER_SIDE.get(match[0], match[0]))],
    "negation": [(_NEGATION, _affirmed), (_STATEMENT, lambda match: f"{match[0]} not")],
}
KINDS = tuple(_RULES)


def plant_errors(rows: Sequence[Response], count: int, seed: int) -> list[Planted]:
    """Plant `count` errors, one a row at most, the kinds in turn; fewer if fewer fit.

    Which rows follows from their ids and `seed` alone. Gives them in the order of `rows`.
    """
    drawn = sorted(rows, key=lambda row: hashlib.sha256(f"{seed}:{row.id}".encode()).hexdigest())
    queues = {kind: _plantable(drawn, kind) for kind in KINDS}
    found: dict[str, Planted] = {}
    while queues and len(found) < count:
        for kind in list(queues):
            planted = next((each for each in queues[kind] if each.row.id not in found), None)
            if planted is None:
                del queues[kind]
            elif len(found) < count:
                found[planted.row.id] = planted
    return [found[row.id] for row in rows if row.id in found]


def _plantable(rows: Sequence[Response], kind: str) -> Iterator[Planted]:
    return (planted for row in rows if (planted := _plant(row, kind)))


def _plant(row: Response, kind: str) -> Planted | None:
    for pattern, change in _RULES[kind]:
        if match := pattern.search(row.output):
            now = change(match)
            if now == match[0]:
                return None
            output = row.output[: match.start()] + now + row.output[match.end() :]
            error = PlantedError(
                kind=kind, was=_around(row.output, *match.span()),
                now=_around(output, match.start(), match.start() + len(now)),
            )  # fmt: skip
            return Planted(row.model_copy(update={"output": output}), error)
    return None


def _around(text: str, start: int, end: int) -> str:
    """Give the changed words with one word or unit before and after."""
    left = text.rfind(" ", 0, max(0, start - 1)) + 1
    right = text.find(" ", end + 1)
    return " ".join(text[left : right if right >= 0 else len(text)].split())
