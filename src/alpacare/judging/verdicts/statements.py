"""Sentences that decide, over symbols (see `spellings`); all else is in lower case.

A sentence decides if one of its clauses is understood whole and no other clause limits it: a wrong
verdict is worse than none. Patterns are possessive, so that long replies are cheap.
"""

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

from alpacare.records.judgment import Slot

SLOTS: dict[str, Slot] = {
    "F": "first", "X": "first", "S": "second", "Y": "second", "T": "tie", "Z": "tie",
}  # fmt: skip
_OTHER: dict[Slot | None, Slot] = {"first": "second", "second": "first", None: "tie"}
EXPLICIT = 2  # the weight of an explicit verdict
_MOST_CLAUSES = 50  # in a sentence; one with more is noise, not a verdict
VERDICT = (  # what judges call their verdict
    r"(?:(?:final|overall|better|best|preferred|chosen|winning) )*+"
    r"(?:verdict|answer|choice|decision|judge?ment|conclusion|winner|preference|pick|selection|"
    r"result|vote|(?:(?<=better )|(?<=best )|(?<=preferred )|(?<=winning ))(?:one|output|response))"
)
HEADING = re.compile(rf"(?:the |my |your )?{VERDICT}\s*:?", re.IGNORECASE)
# A statement is understood if all its words are known; these are the ones that decide.
_WORDS = {
    "choose": "prefer choose chose choosing pick picked picking select selected selecting "
    "recommend favor favour vote opt lean go side give",
    "win": "better best superior preferable preferred stronger strongest winner winning wins "
    "outperforms beats",
    "lose": "worse worst inferior weaker weakest",
    "equal": "equal equally tied equivalent",
    "names": "verdict answer choice decision judgment judgement winner preference",
    "verbs": "is s was are were be provides gives offers wins outperforms beats i we",
    "others": "than over to of beats outperforms",  # a label behind one is the other answer
    "fill": "so therefore thus hence overall then finally ultimately clearly however still again "
    "yes well sure okay ok and but yet i we think believe feel say",  # may precede a label
    "more": "conclude judge that it clear seems seem appears appear my the a an this these as "
    "result for reason reasons on balance all things considered taken together much significantly "
    "slightly far by bit little somewhat marginally definitely generally objectively simply just "
    "probably also only about substantially roughly strongly would personally d ll m am will like "
    "response output option one candidate model assistant completion responses outputs answers "
    "rather between two both them they other instruction question query prompt task given input "
    "here with toward rate consider rank find call declare neither nor or good bad poor strong "
    "weak valid helpful acceptable correct accurate useful same quality ends goes in person user "
    "patient who asked final margin small narrow wide",
}
_SETS = {name: frozenset(words.split()) for name, words in _WORDS.items()}
_KNOWN = frozenset[str]().union(*_SETS.values())
_NO_SUBJECT = {"is", "are", "was", "one"}  # a question, or what one would think
_ASIDE = re.compile(
    r"\b(?:(?:in|from) my \w+|in (?:conclusion|summary|short|general|the end|this case|comparison)|"
    r"to (?:conclude|summari[sz]e|sum up)|i have (?:determined|decided|concluded|found)),?"
)
# a label by itself, or as "Verdict: F"
_BARE = re.compile(r"(?:a )?(?P<win>[FSTXYZ])[\s.!)]*")
_LABELLED = re.compile(
    rf"(?:(?:here(?:'s| is) )?(?:the |my |our )?{VERDICT}(?: here)?\s*"
    r"(?:[:=>–—→-]+|\bis:|(?P<is>\bis\b))|"  # noqa: RUF001
    rf"(?:reply|response|better|(?:i|we)(?: am|'m)? [\w ]+):)\s*(?:it is |it's )?{_BARE.pattern}"
)
_REASON = re.compile(r"because|since|due to|as it|over\b")
_OPENING = re.compile(r"by an? \w+ margin|slightly|i (?:think|believe)|(?:it is )?(?:more|safer)\b")
_CLAUSES = re.compile(
    r"\s*(?:[,;()]|(?<!\w)[–—-](?!\w))\s*|\s+(?=(?:but|yet|however|because|since|"  # noqa: RUF001
    r"due to|as it|as they|while|whereas|although|though|so|therefore|thus|if|unless|except|"
    r"apart from)\b)"
)
_CONCLUDES = re.compile(r"(?:and )?(?:so|therefore|thus|hence|overall|but|however)\b")
_FINAL = re.compile(r"\b(?:final|finally|overall|therefore|thus|hence|verdict|ultimately|winner)\b")
NEGATIVE = re.compile(
    r"\b(?:unsafe|dangerous|toxic|harmful|fatal|worse|worst|inferior|weaker|wrong|incorrect|flawed|"
    r"errors?|mistakes?|reject\w*|ruled out|avoid\w*|loses|fails|not|never|cannot|must|"
    r"should)\b|n't\b|\d ?/ ?\d|\A(?:is|was|which)\b"
)
# a clause that makes the next ones conditional, limits them, or gives them to another
_LIMITS_NEXT = re.compile(
    r"\b(?:if|unless|whether|says?|said|claims?|tells?|told|suppose|false|untrue|initially|"
    r"at first|so far|first glance|were|had|without|aside|wise)\b|"
    r"(?:\bnot|n't) (?:the case|think|believe|say)\b|"
    r"\A(?:and |but |while )?(?:in (?!this|the end|my|general|summary|conclusion|short)|"
    r"(?:for|on) (?!this|these|that|balance|reflection)|regarding|when|from an?|at|purely|only|"
    r"just|ignoring|setting|leaving|apart|except|other than|(?!honest|personal|frank|sure)\w+ly\Z)"
)
_LIMITS_PREVIOUS = re.compile(
    r"\W*(?:but(?! also)|yet|however|if|unless|except|apart|only|at|on|or|and [FSTXYZ]|[FSTXYZ]\b|"
    r"when|not(?! [FSXY])|were|had|says?|in(?! my)|for(?! (?:it|these|this)))\b"
)
_TENTATIVE = re.compile(r"\b(?:would|seems?|appears?)\b|'d\b")
_CONTRASTS = re.compile(r"\W*(?:but|however|yet|unfortunately|still|alas)\b")
_LIMITS_ABOVE = re.compile(r"\W*(?:at least|(?:but )?only)\b|.*\b(?:at least|that is|only)[.!]*\Z")
# words with which a judge retracts a statement; at the start of a reply they retract nothing
RETRACTION = re.compile(
    r"\b(?:second thoughts?|chang(?:e|ed|ing) my \w+|scratch that|my mistake|oops|hmm+,? no|"
    r"i (?:meant|misspoke|was wrong|stand corrected|take (?:that|it) back)|apolog(?:y|ies)|"
    r"on (?:further |closer |more )?(?:reflection|inspection|consideration|examination)|"
    r"let me (?:correct|revise|re-?consider|re-?check|re-?think))\b|"
    r"(?:^|[.,;:!?–—-] ?|\b(?:but|hmm|oh|no|yet|and),? )wait\b(?=\s*(?:$|[^\w\s]|no\b))|"  # noqa: RUF001
    r"(?:^|[.,;:!?(] ?)(?:correction|corrected|edit|edited|update|updated|revised)(?: \w+)?:|"
    r"^(?:(?:oh |hmm |sorry )?,?no[,:;.]|\W*actually\b)",
    re.MULTILINE,
)


class Decision(NamedTuple):
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


def read_bare(sentence: str) -> list[Decision]:
    """Read a sentence that is only one label."""
    match = None if ":" in sentence else _BARE.fullmatch(_without_fill(sentence))
    return [Decision(SLOTS[match["win"]], EXPLICIT, bare=True)] if match else []


def names_one(text: str) -> bool:
    """Whether one answer is named by itself, not both as a pair."""
    return bool(re.search("[FSXY]", re.sub("[FSXY](?: and | or |/| nor )[FSXY]", "", text)))


def read_sentence(
    sentence: str, below: str, *, only: bool, short: bool, tie: bool
) -> list[Decision]:
    """Read what a sentence decides, before the one `below` it.

    `only`: no other sentence names a label. X and Y count only if `short` forms are allowed.
    `tie`: "both are equal" may be the verdict, as neither answer is named by itself further on.
    """
    clauses = [each for each in _CLAUSES.split(sentence) if each and each.strip(" .!")]
    if sentence.endswith("?") or len(clauses) > _MOST_CLAUSES or _LIMITS_ABOVE.match(below):
        return []
    if _TENTATIVE.search(sentence) and _CONTRASTS.match(below):
        return []
    found: list[Decision] = []
    for at, clause in enumerate(clauses):
        later = clauses[at + 1 :]
        decision = _read_label(clause, later, only=only and not at, short=short)
        decision = decision or _read_statement(clause, short)
        if not decision:
            continue
        if _CONTRASTS.match(clause):
            found = []
        before = clauses[:at] if not _CONCLUDES.match(clause) else []
        premise = decision.slot == "tie" and not (tie and not names_one(" , ".join(later)))
        if not (premise or any(map(_LIMITS_NEXT.search, before))) and not any(
            map(_LIMITS_PREVIOUS.match, later)
        ):
            found.append(decision)
    return found


def _read_label(clause: str, later: Sequence[str], *, only: bool, short: bool) -> Decision | None:
    """Read a clause that is a label, with a word for a verdict, with a reason, or as conclusion."""
    core = _without_fill(clause)
    labelled = _LABELLED.fullmatch(clause) or _LABELLED.fullmatch(core)
    match = labelled or _BARE.fullmatch(core)
    if not match or any(map(NEGATIVE.search, takewhile(_names_none, later))):
        return None
    if match["win"] in "XYZ" and (not short or later or (labelled and labelled["is"])):
        return None
    if labelled:
        return Decision(SLOTS[match["win"]], EXPLICIT)
    why = later[0] if later else ""
    if _REASON.match(why) or (only and _OPENING.match(why)):
        return Decision(SLOTS[match["win"]], 0)
    return Decision(SLOTS[match["win"]], 1) if _CONCLUDES.match(clause) else None


def _read_statement(clause: str, short: bool) -> Decision | None:
    """Read a clause such as "F is better than S", all of whose words must be known."""
    head, _, rest = _ASIDE.sub("", clause).rpartition(":")
    words = re.findall(r"\w+", rest)
    have = {*words}
    if not have - {*SLOTS} <= _KNOWN or not have & _SETS["verbs"] or words[0] in _NO_SUBJECT:
        return None
    if (head and not HEADING.fullmatch(head)) or (not short and have & {*"XYZ"}):
        return None
    if have & _SETS["choose"] and not have & {"i", "we"}:
        return None  # somebody else's choice
    slot = _winner(words)
    return Decision(slot, int(bool(_FINAL.search(clause)))) if slot else None


def _winner(words: Sequence[str]) -> Slot | None:
    """Give what a statement of known words says: the one label that is not behind "than"."""
    text = " ".join(words).replace("goes to", "is")
    line = re.sub("[FSXY] (?:and|or|nor) [FSXY]", "both", text).split()
    after = ["", *line]
    own = [
        word
        for before, word in zip(after, line, strict=False)
        if word in SLOTS and before not in _SETS["others"]
    ]
    have = {*line}
    wins, loses = have & (_SETS["choose"] | _SETS["win"]), have & _SETS["lose"]
    equal = have & _SETS["equal"]
    if have & {*"TZ"} or equal or (line[0] == "neither" and wins):
        return "tie" if {*own} <= {*"TZ"} and not (equal and line[0] == "i") else None
    # "the answer is A" may be about a quiz
    named = have & _SETS["names"] if {*own} <= {*"FS"} else set[str]()
    if len(own) != 1 or not (wins or loses or named):
        return None
    return _OTHER[SLOTS[own[0]]] if loses else SLOTS[own[0]]


def _without_fill(clause: str) -> str:
    """Remove what may precede a label: "therefore, F"."""
    words = clause.split()
    while words and words[0].strip(",:") in _SETS["fill"]:
        words = words[1:]
    return " ".join(words)


def _names_none(clause: str) -> bool:
    return not re.search(r"\b[FSXY]\b", clause)
