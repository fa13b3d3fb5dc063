"""Errors planted by rule into copies of answers: each is known, so a verifier can be measured.

A rule changes the first place that fits: a dose becomes ten times as much, mg and mcg change
places, left and right change places in front of a part of the body, a negation is taken out (or,
where there is none, put in after must or should, else after is or are). Left alone are questions,
"may not", which denies little, "left and right", and "is" where "is not" says nothing wrong, as in
"Here is" and "there is no". A rule does not know medicine: now and then the changed answer is still
right.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from alpacare.records.answer_check import PlantedError
from alpacare.records.response import Response

_UNITS = r"(?:mcg|mg|[µμ]g|g|ml|units?|iu|mmol)"
_DOSE = re.compile(
    rf"(?<![\d.,/])(?!0+(?:\.0+)?[^\d.])(\d{{1,4}}(?:\.\d+)?)(?=[ \u00a0-]?{_UNITS}\b)",
    re.IGNORECASE,
)
_UNIT = re.compile(r"(?<=\d)([ \u00a0-]?)(mg|mcg|[µμ]g)\b")
_VERB = r"is|are|was|were|do|does|did|should|must|can|could|will|would|has|have"
_WEAK = r"(?: (?:only|just|always|necessarily|all|hesitate)\b)"  # "not only": no denial
_SAID = r"(?![^.!?\n]*\?)"  # to its end the sentence is not a question
_NEGATION = re.compile(
    rf"\b(?:({_VERB}) not|(can)not|(is|are|was|were|do|does|did|should|could|would|has|have)"
    rf"n['\u2019]t)\b(?!{_WEAK}){_SAID}",
    re.IGNORECASE,
)
_ADVICE = re.compile(
    rf"\b(should|must)\b(?! (?:not|never|no|neither)\b|n['\u2019]t\b){_SAID}", re.IGNORECASE
)
_ASKING = ("here", "there", "that", "what", "who", "why", "how", "where", "which", "either")
_STATEMENT = re.compile(
    "".join(rf"(?<!\b{word} )" for word in _ASKING)
    + r"(?<=\w )\b(is|are)\b(?!:| (?:not|no|never|neither|none|nothing|nor|why|what|how|where|when|"
    rf"who|because|among|also|so|sorry|still|either)\b|n['\u2019]t\b){_SAID}",
    re.IGNORECASE,
)
_PART = (
    r"(?:arm|leg|hand|foot|eye|ear|eardrum|knee|hip|shoulder|elbow|wrist|ankle|thigh|calf|lung|kidney|"
    r"breast|ovary|testicle|heart|coronary|carotid|femoral|bundle|lobe|flank|iliac|chest|side|upper|"
    r"lower)(?:s|ed|d)?\b(?! effect)|(?:ventric|atri|hemi)\w"
)
_BOTH = "".join(  # "left and right arm", "left-to-right": swapped, they say the same or nothing
    rf"(?<!{side}{link})"
    for side in ("left", "right")
    for link in (" and ", " or ", " to ", "-to-", "/")
)
_SIDE = re.compile(rf"{_BOTH}\b(left|right)(?=[ -](?:{_PART}))", re.IGNORECASE)
_OTHER_SIDE = {"left": "right", "right": "left"}


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


def _other_side(match: re.Match[str]) -> str:
    other = _OTHER_SIDE[match[0].lower()]
    return (
        other.upper() if match[0].isupper() else other.title() if match[0][0].isupper() else other
    )


def _affirmed(match: re.Match[str]) -> str:
    return "".join(filter(None, match.groups()))


def _denied(match: re.Match[str]) -> str:
    return f"{match[0]} not"


_RULES: Mapping[str, Sequence[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]]] = {
    "dose": [(_DOSE, _ten_times)],
    "unit": [(_UNIT, _other_unit)],
    "laterality": [(_SIDE, _other_side)],
    "negation": [(_NEGATION, _affirmed), (_ADVICE, _denied), (_STATEMENT, _denied)],
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
