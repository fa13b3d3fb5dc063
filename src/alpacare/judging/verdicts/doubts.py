"""Words that take a decision back, narrow it or turn it round; symbols as in `phrases`.

Each pattern reads few words, or begins at a place of its own, so that long replies are cheap.
"""

import re

from alpacare.judging.verdicts.own_words import VERDICT

_BAD = (
    r"(?:unsafe|dangerous|toxic|harmful|fatal|worse|worst|inferior|weaker|weakest|wrong|incorrect|"
    r"inaccurate|flawed|misleading|risky|bad|poor|error|errors|mistakes?|reject\w*|disqualif\w*|"
    r"ruled out|rules it out|avoid\w*|loses|lost|loser|fails|failed|not|never|no|cannot|without|"
    r"tempting|generous)"
)
_VERB = (
    r"(?:is|was|are|cannot|can't|must|should|has|does|loses|fails|would|will|could|may|might|"
    r"gives|contains|recommends)"
)

# words by which a judge takes back what it said; those that begin a reply take nothing back
TAKEN_BACK = re.compile(
    r"\b(?:second thoughts?|chang(?:e|ed|ing) my \w+|scratch that|strike that|my mistake|oops|"
    r"i (?:meant|misspoke|was wrong|stand corrected|take (?:that|it) back)|"
    r"on (?:further |closer |more )?(?:reflection|inspection|consideration|examination)|"
    r"let me (?:correct|revise|re-?consider|re-?check|re-?think)|hmm+,? no|apolog(?:y|ies))\b|"
    r"(?:\A|[.,;:!?–—-] ?|\b(?:but|hmm|oh|no|yet|and),? )wait\b(?=\s*(?:\Z|[^\w\s]|no\b))|"  # noqa: RUF001
    r"(?:\A|[.,;:!?(] ?)(?:correction|corrected|edit|edited|update|updated|revised)(?: \w+)?:|"
    r"\A(?:(?:oh |hmm |sorry )?,?no[,:;.]|\W*actually\b)"
)

# words before a statement that take it from the judge, or from now: "if", "the answer says that"
_NOT_SAID = re.compile(
    r"\b(?:if|unless|whether|says?|said|claims?|claimed|tells?|told|asks? me|instruct(?:s|ed|ing)?|"
    r"writes?|wrote|reads|suppose|pretend|according to|untrue|false|initially|at first|so far|"
    r"first glance|on the surface)\b|"
    r"(?:\bnot|n't) (?:true|the case|think|believe|say|mean|agree|conclude|clear)\b"
)
# a clause before a statement that narrows it: "for children, F is better"
_NARROW = re.compile(
    r"\s*(?:(?:and|but|while|so) )?(?:(?:in terms of|regarding|concerning|"
    r"when it comes|with (?:respect|regard) to|as (?:for|far)|from an?|at|"
    r"for(?! (?:this|these|that|the given))|on(?! (?:balance|reflection|the whole))|"
    r"in(?! (?:this|the (?:end|given|context)|my|general|summary|conclusion|short|light|"
    r"comparison|contrast))|purely|solely|only|just|merely|strictly|ignoring|disregarding|"
    r"setting|leaving|putting|apart|aside|except\w*|excluding|save|other than|barring|"
    r"discounting|overlooking|without|were|had)\b[^,;:(]*|"
    r"(?!(?:honest|personal|frank|certain|sure|according|undoubted|important)ly)[\w-]+ly|"
    r"[^,;:(]{1,40}(?:wise| aside))\Z"
)
_HAD = re.compile(r"\b(?:had|with|without|were)\b")
# words behind a statement that narrow it or grant it only: "F is better, but only in style"
_TURNS = re.compile(
    r"[,;:.–—-]\s*(?:but(?! also)|yet|however)\b|\bbut (?:for|only|not|\w*(?:dangerous|safe))\b|"  # noqa: RUF001
    r"\A\W*(?:says?|said|claims?|writes?|reads)\b|"
    r"\b(?:apart from|except|were it not|had it|at least|aside|only (?:in|on|for|as|if|when))\b"
)
_SOFT = re.compile(r"(?:\b(?:would|seems?|appears?)\b|'d\b)")
_HEDGED = re.compile(r"\b(?:but|yet|however|although|though|if|unless|cannot|can't)\b")
_TURNS_BELOW = re.compile(r"\A\W*(?:but|however|yet|unfortunately|still|alas)\b")
_NARROWS_BELOW = re.compile(r"\A\W*(?:at least|(?:but )?only)\b|\b(?:at least|that is|only)[.!]*\Z")

_OF_OTHER = re.compile(r"\b(?:because|since|as|while|whereas|where|and|not|over|than) [FSXY]\b")
_REJECTS = re.compile(
    rf"\b{_BAD}\b|n't\b|\d ?/ ?\d|\A\W*(?:says?|said|claims?|writes?|reads)\b|"
    rf"\A[\s,(–—-]*(?:which|who|although|though|while|since|as|because|due to|despite)\b[^,–—-]*"  # noqa: RUF001
    rf"[,–—-] ?{_VERB}\b"  # noqa: RUF001
)

_ASKS_FOR_BEST = re.compile(
    rf"\b(?:best|better|prefer\w*|choose|pick|recommend\w*|wins|give)\b|{VERDICT}", re.IGNORECASE
)
_ASKS_FOR_WORST = re.compile(rf"\b{_BAD}\b", re.IGNORECASE)
_UNFINISHED = re.compile(
    r"\b(?:is|are|was|in|of|by|the|from|with|to|than|not|and|or|for|on|avoid|an?)\Z",
    re.IGNORECASE,
)
_VERDICT_IS = re.compile(rf"\b{VERDICT} (?:is|would be|goes to)\Z", re.IGNORECASE)


def is_misled(before: str) -> bool:
    """Say whether a label by itself would answer or end the sentence before it: no verdict."""
    if before.endswith("?"):
        return bool(_ASKS_FOR_WORST.search(before)) or not _ASKS_FOR_BEST.search(before)
    return bool(_UNFINISHED.search(before)) and not _VERDICT_IS.search(before)


def is_rejected(rest: str) -> bool:
    """Say whether the `rest` of a sentence that a label opens may speak against the label."""
    return bool(_REJECTS.search(_OF_OTHER.split(rest, maxsplit=1)[0]))


def is_own(before: str, statement: str) -> bool:
    """Say whether nothing `before` a statement takes it back or narrows it."""
    taken = _NOT_SAID.search(before) or _NARROW.match(re.split("[,;:(]", before)[-1])
    return not taken and not (" would be" in statement and _HAD.search(before))


def is_granted(statement: str, rest: str) -> bool:
    """Say whether the `rest` of its sentence makes a statement a concession."""
    return bool(_TURNS.search(rest) or (_SOFT.search(statement) and _HEDGED.search(rest)))


def is_turned(line: str, below: str) -> bool:
    """Say whether the sentence `below` turns or narrows what is stated in `line`."""
    if _NARROWS_BELOW.search(below):
        return True
    return bool(_SOFT.search(line) and _TURNS_BELOW.match(below))
