"""Decisions in a judge's sentences, and their result; symbols as in `decision_patterns`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from alpacare.judging.verdicts import decision_patterns as patterns
from alpacare.judging.verdicts.hedges import is_concession, is_unqualified, rejects_label
from alpacare.records.judgment import Slot

SLOTS: dict[str, Slot] = {
    "F": "first", "X": "first", "S": "second", "Y": "second", "T": "tie", "Z": "tie",
}  # fmt: skip
_OTHER: dict[Slot, Slot] = {"first": "second", "second": "first"}

MAY_DECIDE = re.compile("[FSTXYZ]|equal|tied|neither")  # a sentence without one decides nothing
_CONCLUDES = re.compile(r"\A\W*(?:so|therefore|thus|hence|but|however|overall)\b")
_CONTRASTS = re.compile(r"\A\W*(?:but|however|yet)\b")
_CONCLUSIVE = re.compile(
    r"\b(?:final|finally|overall|therefore|thus|hence|verdict|conclusion|conclude|ultimately|"
    r"winner)\b"
)
_END = re.compile(r"[\s.!)]*\Z")
EXPLICIT = 2  # the weight of an explicit verdict
_SHORTEST = len("F wins")
_MOST_STATEMENTS = 50  # in a sentence; one with more is noise, not a verdict
_CONTEXT = 300  # letters before and after a statement that can limit it


@dataclass(frozen=True)
class Decision:
    """One place of a reply that decides.

    `weight`: 0 for a statement, 1 for one that says it is final, 2 for an explicit verdict or a
    label by itself. `bare`: the sentence has nothing else.
    """

    slot: Slot
    weight: int
    bare: bool = False


def final_slot(decisions: Sequence[Decision]) -> Slot | None:
    """Give the slot that all decisions agree on, or the last if it outweighs the others."""
    if not decisions:
        return None
    last = decisions[-1]
    against = [each.weight for each in decisions if each.slot != last.slot]
    return last.slot if last.weight > max(against, default=-1) else None


def read_bracketed(line: str, edge: bool, whole_line: bool) -> list[Decision]:
    """Read labels in double brackets; `edge`: the sentence is the first or last of the reply.

    A label in running text counts only where words make it a verdict.
    """
    if (bare := patterns.BARE_LABEL.match(line)) and bare["win"] in "FST":
        return [Decision(SLOTS[bare["win"]], EXPLICIT if whole_line and edge else 1, bare=True)]
    if found := read_labelled(line, short=False) or read_statements(
        line, short=False, one_below=False
    ):
        return found
    match = patterns.BRACKETED_LAST.search(line) or (edge and patterns.BRACKETED_FIRST.match(line))
    if not match or not is_unqualified(line[: match.start()], ""):
        return []
    return [Decision(SLOTS[match["win"]], 1)]


def read_labelled(line: str, short: bool) -> list[Decision]:
    """Read "Verdict: F"; X, Y and Z only if `short` forms are allowed."""
    match = patterns.LABELLED_VERDICT.match(line)
    rest = line[match.end() :] if match else ""
    if not match or rejects_label(rest) or is_concession("", rest):
        return []
    if match["win"] in "XYZ" and (not short or match["is"] or not _END.match(line, match.end())):
        return []
    return [Decision(SLOTS[match["win"]], EXPLICIT)]


def read_bare(line: str) -> list[Decision]:
    """Read a sentence that is only one label."""
    match = patterns.BARE_LABEL.match(line)
    return [Decision(SLOTS[match["win"]], EXPLICIT, bare=True)] if match else []


def read_opening(line: str) -> list[Decision]:
    """Read a reply of one sentence, a label with its reason: "F - more complete"."""
    match = patterns.OPENING_LABEL.match(line)
    return [Decision(SLOTS[match["win"]], 0)] if match else []


@lru_cache(maxsize=8)  # called for each statement of a sentence
def last_single_mention(line: str) -> int:
    """Give the last place that names one answer, not both as a pair; -1 if there is none."""
    names = re.finditer(f"(?P<pair>{patterns.PAIR})|[FSXY]", line)
    return max((match.start() for match in names if not match["pair"]), default=-1)


def read_statements(line: str, short: bool, one_below: bool) -> list[Decision]:
    """Read statements such as "F is better"; X and Y only if `short` forms are allowed.

    "Both are equal" is a premise, not a verdict, if one of them is named after it.
    """
    if line.endswith("?") or len(line) < _SHORTEST:
        return []
    decisions: list[Decision] = []
    weight = int(bool(_CONCLUSIVE.search(line)))
    statements = list(islice(_find_statements(line), _MOST_STATEMENTS + 1))
    for start, match in statements if len(statements) <= _MOST_STATEMENTS else ():
        text = line[start : match.end()]
        before = line[max(0, start - _CONTEXT) : start]
        if (short or not re.search("[XYZ]", text)) and (
            _CONCLUDES.match(text) or is_unqualified(before, text)
        ):
            if _CONTRASTS.match(text):
                decisions = []
            slot, rest = _slot(match), line[match.end() : match.end() + _CONTEXT]
            premise = slot == "tie" and (one_below or match.end() <= last_single_mention(line))
            if not premise and not is_concession(text, rest):
                decisions.append(Decision(slot, weight))
    return decisions


def _find_statements(line: str) -> Iterator[tuple[int, re.Match[str]]]:
    """Give each statement and the start of its clause."""
    match = patterns.LABEL_WITH_REASON.match(line)
    if match and not rejects_label(line[match.end("win") :]):
        yield 0, match
    for start in patterns.CLAUSE_START.finditer(line):
        for pattern in patterns.STATEMENTS:
            if match := pattern.match(line, start.end()):
                yield start.start(), match
                break
    if match := patterns.CONCLUSION.search(line):
        yield match.start(), match


def _slot(match: re.Match[str]) -> Slot:
    names = match.groupdict()
    if names.get("tie"):
        return "tie"
    return SLOTS[names["win"]] if names.get("win") else _OTHER[SLOTS[names["lose"]]]
