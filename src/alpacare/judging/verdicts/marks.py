"""Labels that no other text looks like, such as "[[A]]": where one kind stands, it is the verdict.

Only among several kinds do quotation, negation and position decide. Text is in symbols (see
`spellings`).
"""

import re

from alpacare.judging.verdicts.reply_text import hide_quotations, without_markup
from alpacare.judging.verdicts.spellings import Spellings
from alpacare.judging.verdicts.statements import (
    EXPLICIT,
    RETRACTION,
    SLOTS,
    VERDICT,
    Decision,
    final_slot,
)
from alpacare.records.judgment import Slot

_NEAR = 120  # letters around a label that are read
_WORDS = 3  # words beside a label that make it a quotation if a shown text has them too
_SENTENCE_END = re.compile(r"[.!?;\n。！？；]")  # noqa: RUF001
_WORD = re.compile(r"\w")
_DOUBT_BEFORE = re.compile(
    r"(?:\b(?:not|never|neither|nor|or|over|than|rule out|if only [^.]*|might \w+|cannot(?: \w+)?|"
    r"could \w+(?: \w+)?|would have \w+|wrong to \w+|me to \w+)|n't(?: \w+)?)[\s\"'(]{0,3}\Z"
)
_DOUBT_AFTER = re.compile(
    r"[\s\"')]{0,3}(?:,? but (?:for|only|not)|if|unless|when|were it|had|can be|would|could|"
    r"-? ?worthy|(?:is|was|seems) (?:not|wrong|too|tempting|out))\b"
)
_CLAUSE_START = r"(?:\A|[,:—-]|\b(?:so|therefore|thus|hence),?)\W*(?:the |my |our )?"
_VERDICT_BEFORE = re.compile(
    rf"{_CLAUSE_START}{VERDICT}(?P<more>(?: is|:)[^FST]{{1,80}}?)??(?: is)?\W*\Z"
)
_CONCLUDES = re.compile(
    r"\b(?:so|therefore|thus|hence|overall|finally|choose|pick|prefer|after \w+ing)\b"
)


def read_marks(text: str, spellings: Spellings, shown: str, *, cut: bool) -> Slot | None:
    """Read the labels of a reply; those that `shown` texts have with the same words are quotes."""
    known = spellings.symbols(shown)
    told = bool(re.search("[FST]", known))  # then a label in running text may be the answer's
    found: list[tuple[int, Decision | None]] = []
    for view in (text, hide_quotations(text)):
        line = spellings.symbols(view)
        own = [at for at in _mentions(line) if not _is_quote(line, at, known)]
        found = [(at, _weigh(line, at)) for at in own]
        if told or cut:
            found = [(at, each) for at, each in found if each and each.bare]
        if len({line[at] for at, _ in found}) < 2:
            return next((each.slot for _, each in found if each), None)
    retracted = max((match.end() for match in RETRACTION.finditer(line)), default=0)
    if any(at < retracted for at, _ in found):
        found = [(at, each) for at, each in found if each and at > retracted and each.weight > 1]
    clear = [each for _, each in found if each and each.weight]
    return None if cut else final_slot(clear)


def _mentions(line: str) -> list[int]:
    return [match.start() for match in re.finditer("[FST]", line)]


def _is_quote(line: str, at: int, known: str) -> bool:
    """Whether a shown text has this label with the words before it, or behind it."""
    before = without_markup(line[max(0, at - _NEAR) : at]).split()[-_WORDS:]
    after = without_markup(line[at + 1 : at + _NEAR]).split()[:_WORDS]
    label = line[at]
    return bool(known) and (
        (len(before) > 1 and " ".join([*before, label]) in known)
        or (len(after) == _WORDS and " ".join([label, *after]) in known)
    )


def _weigh(line: str, at: int) -> Decision | None:
    """Give the weight of a label: how its words and its place make it a verdict; None if denied.

    `bare`: at the start or end of the reply in a sentence of its own, or right behind "verdict".
    """
    near, behind = line[max(0, at - _NEAR) : at], line[at + 1 : at + _NEAR]
    before = _SENTENCE_END.split(near)[-1]
    if _DOUBT_BEFORE.search(before) or _DOUBT_AFTER.match(behind):
        return None
    edge = not _WORD.search(line[:at]) or not _WORD.search(line[at + 1 :])
    alone = not _WORD.search(before) and not _WORD.search(_SENTENCE_END.split(behind)[0])
    own_line = not _WORD.search(near.split("\n")[-1] + behind.split("\n")[0])
    explicit = _VERDICT_BEFORE.search(before)
    introduced = re.search(r":\W*\Z", near) and not re.search(rf"{VERDICT}\W*\Z", near)
    weight = EXPLICIT if explicit or (own_line and edge) else int(alone)
    return Decision(
        SLOTS[line[at]],
        max(weight, int(bool(_CONCLUDES.search(before)))),
        bare=(alone and edge and not introduced) or bool(explicit and not explicit["more"]),
    )
