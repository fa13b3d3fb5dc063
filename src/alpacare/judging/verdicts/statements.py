"""Which sentences of a judge decide, and what they decide together; symbols as in `phrases`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from alpacare.judging.verdicts.doubts import is_granted, is_own, is_rejected
from alpacare.judging.verdicts.phrases import (
    BARE,
    BECAUSE,
    CONCLUDED,
    LABELLED,
    MARK_FIRST,
    MARK_LAST,
    OPENING,
    PAIR,
    START,
    STATEMENTS,
)
from alpacare.records.judgment import Slot

_SLOTS: dict[str, Slot] = {
    "F": "first", "X": "first", "S": "second", "Y": "second", "T": "tie", "Z": "tie",
}  # fmt: skip
_OTHER: dict[Slot, Slot] = {"first": "second", "second": "first"}

_CAN_STATE = re.compile("[FSTXYZ]|equal|tied|neither")
_SO = re.compile(r"\A\W*(?:so|therefore|thus|hence|but|however|overall)\b")
_TURN = re.compile(r"\A\W*(?:but|however|yet)\b")
_FINAL = re.compile(
    r"\b(?:final|finally|overall|therefore|thus|hence|verdict|conclusion|conclude|ultimately|"
    r"winner)\b"
)
_END = re.compile(r"[\s.!)]*\Z")
FINAL = 2  # the weight of a verdict in so many words
_SHORTEST = len("F wins")
_MOST = 50  # statements of a sentence; one with more is noise, not a verdict
_READ = 300  # letters before a statement, and behind it, that can take it back


@dataclass(frozen=True)
class Decision:
    """One place of a reply that decides.

    `weight` 0 for a statement, 1 for one that says it is final, 2 for a verdict in so many words
    or a label by itself. `bare` if the sentence holds nothing else.
    """

    slot: Slot
    weight: int
    bare: bool = False

    @classmethod
    def of(cls, symbol: str) -> "Decision":
        """Make the decision of a reply that is one label."""
        return cls(_SLOTS[symbol], FINAL, bare=True)


def settle(decisions: Sequence[Decision]) -> Slot | None:
    """Give what all decisions agree on, or the last if it outweighs those that differ."""
    if not decisions:
        return None
    last = decisions[-1]
    against = [each.weight for each in decisions if each.slot != last.slot]
    return last.slot if last.weight > max(against, default=-1) else None


def in_marks(line: str, edge: bool, alone: bool) -> list[Decision]:
    """Read the labels in doubled brackets in a sentence; `edge` if it begins or ends the reply.

    One in running text counts only where words make it a verdict.
    """
    if (bare := BARE.match(line)) and bare["win"] in "FST":
        return [Decision(_SLOTS[bare["win"]], FINAL if alone and edge else 1, bare=True)]
    if found := in_verdict(line, short=False) or in_statement(line, short=False, one_below=False):
        return found
    match = MARK_LAST.search(line) or (edge and MARK_FIRST.match(line))
    if not match or not is_own(line[: match.start()], ""):
        return []
    return [Decision(_SLOTS[match["win"]], 1)]


def in_verdict(line: str, short: bool) -> list[Decision]:
    """Read "Verdict: F"; X, Y and Z only where `short` ones may stand."""
    match = LABELLED.match(line)
    rest = line[match.end() :] if match else ""
    if not match or is_rejected(rest) or is_granted("", rest):
        return []
    if match["win"] in "XYZ" and (not short or match["is"] or not _END.match(line, match.end())):
        return []
    return [Decision(_SLOTS[match["win"]], FINAL)]


def in_label(line: str) -> list[Decision]:
    """Read a sentence that is one label."""
    match = BARE.match(line)
    return [Decision(_SLOTS[match["win"]], FINAL, bare=True)] if match else []


def in_opening(line: str) -> list[Decision]:
    """Read a reply that is one sentence, a label with its reason: "F - more complete"."""
    match = OPENING.match(line)
    return [Decision(_SLOTS[match["win"]], 0)] if match else []


def can_state(line: str) -> bool:
    """Say whether a sentence names anything that it could decide for."""
    return bool(_CAN_STATE.search(line))


@lru_cache(maxsize=8)  # asked for at each statement of a sentence
def last_name(line: str) -> int:
    """Give the last place that speaks of one answer, rather than of both as a pair; -1 if none."""
    names = re.finditer(f"(?P<pair>{PAIR})|[FSXY]", line)
    return max((match.start() for match in names if not match["pair"]), default=-1)


def in_statement(line: str, short: bool, one_below: bool) -> list[Decision]:
    """Read statements such as "F is better"; X and Y only where `short` ones may stand.

    That both are equal is a premise, not a verdict, where one of them is named behind it.
    """
    if line.endswith("?") or len(line) < _SHORTEST:
        return []
    decisions: list[Decision] = []
    weight = int(bool(_FINAL.search(line)))
    stated = list(islice(_stated(line), _MOST + 1))
    for start, match in stated if len(stated) <= _MOST else ():
        text = line[start : match.end()]
        before = line[max(0, start - _READ) : start]
        if (short or not re.search("[XYZ]", text)) and (_SO.match(text) or is_own(before, text)):
            if _TURN.match(text):
                decisions = []
            slot, rest = _slot(match), line[match.end() : match.end() + _READ]
            premise = slot == "tie" and (one_below or match.end() <= last_name(line))
            if not premise and not is_granted(text, rest):
                decisions.append(Decision(slot, weight))
    return decisions


def _stated(line: str) -> Iterator[tuple[int, re.Match[str]]]:
    """Give each statement and the place where its clause begins."""
    if (match := BECAUSE.match(line)) and not is_rejected(line[match.end("win") :]):
        yield 0, match
    for start in START.finditer(line):
        for pattern in STATEMENTS:
            if match := pattern.match(line, start.end()):
                yield start.start(), match
                break
    if match := CONCLUDED.search(line):
        yield match.start(), match


def _slot(match: re.Match[str]) -> Slot:
    names = match.groupdict()
    if names.get("tie"):
        return "tie"
    return _SLOTS[names["win"]] if names.get("win") else _OTHER[_SLOTS[names["lose"]]]
