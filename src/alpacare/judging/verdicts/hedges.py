"""Hedges: words that retract, limit or reverse a decision; symbols as in `decision_patterns`.

Each pattern reads few words, or starts at a fixed place, so that long replies are cheap.
"""

import re

from alpacare.judging.verdicts.reply_sentences import VERDICT

_NEGATIVE = (
    r"(?:unsafe|dangerous|toxic|harmful|fatal|worse|worst|inferior|weaker|weakest|wrong|incorrect|"
    r"inaccurate|flawed|misleading|risky|bad|poor|error|errors|mistakes?|reject\w*|disqualif\w*|"
    r"ruled out|rules it out|avoid\w*|loses|lost|loser|fails|failed|not|never|no|cannot|without|"
    r"tempting|generous)"
)
_VERB = (
    r"(?:is|was|are|cannot|can't|must|should|has|does|loses|fails|would|will|could|may|might|"
    r"gives|contains|recommends)"
)

# words with which a judge retracts a statement; at the start of a reply they retract nothing
RETRACTION = re.compile(
    r"\b(?:second thoughts?|chang(?:e|ed|ing) my \w+|scratch that|strike that|my mistake|oops|"
    r"i (?:meant|misspoke|was wrong|stand corrected|take (?:that|it) back)|"
    r"on (?:further |closer |more )?(?:reflection|inspection|consideration|examination)|"
    r"let me (?:correct|revise|re-?consider|re-?check|re-?think)|hmm+,? no|apolog(?:y|ies))\b|"
    r"(?:\A|[.,;:!?–—-] ?|\b(?:but|hmm|oh|no|yet|and),? )wait\b(?=\s*(?:\Z|[^\w\s]|no\b))|"  # noqa: RUF001
    r"(?:\A|[.,;:!?(] ?)(?:correction|corrected|edit|edited|update|updated|revised)(?: \w+)?:|"
    r"\A(?:(?:oh |hmm |sorry )?,?no[,:;.]|\W*actually\b)"
)

# words before a statement that make it conditional or not the judge's: "if", "the answer says"
_REPORTED = re.compile(
    r"\b(?:if|unless|whether|says?|said|claims?|claimed|tells?|told|asks? me|instruct(?:s|ed|ing)?|"
    r"writes?|wrote|reads|suppose|pretend|according to|untrue|false|initially|at first|so far|"
    r"first glance|on the surface)\b|"
    r"(?:\bnot|n't) (?:true|the case|think|believe|say|mean|agree|conclude|clear)\b"
)
# a clause before a statement that limits it: "for children, F is better"
_LIMITED_BEFORE = re.compile(
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
_HYPOTHETICAL = re.compile(r"\b(?:had|with|without|were)\b")
# words after a statement that limit it or make it a concession: "F is better, but only in style"
_LIMITED_AFTER = re.compile(
    r"[,;:.–—-]\s*(?:but(?! also)|yet|however)\b|\bbut (?:for|only|not|\w*(?:dangerous|safe))\b|"  # noqa: RUF001
    r"\A\W*(?:says?|said|claims?|writes?|reads)\b|"
    r"\b(?:apart from|except|were it not|had it|at least|aside|only (?:in|on|for|as|if|when))\b"
)
_TENTATIVE = re.compile(r"(?:\b(?:would|seems?|appears?)\b|'d\b)")
_CONTRAST = re.compile(r"\b(?:but|yet|however|although|though|if|unless|cannot|can't)\b")
_CONTRAST_BELOW = re.compile(r"\A\W*(?:but|however|yet|unfortunately|still|alas)\b")
_LIMITED_BELOW = re.compile(r"\A\W*(?:at least|(?:but )?only)\b|\b(?:at least|that is|only)[.!]*\Z")

_OTHER_LABEL = re.compile(r"\b(?:because|since|as|while|whereas|where|and|not|over|than) [FSXY]\b")
_REJECTION = re.compile(
    rf"\b{_NEGATIVE}\b|n't\b|\d ?/ ?\d|\A\W*(?:says?|said|claims?|writes?|reads)\b|"
    rf"\A[\s,(–—-]*(?:which|who|although|though|while|since|as|because|due to|despite)\b[^,–—-]*"  # noqa: RUF001
    rf"[,–—-] ?{_VERB}\b"  # noqa: RUF001
)

_ASKS_FOR_BEST = re.compile(
    rf"\b(?:best|better|prefer\w*|choose|pick|recommend\w*|wins|give)\b|{VERDICT}", re.IGNORECASE
)
_ASKS_FOR_WORST = re.compile(rf"\b{_NEGATIVE}\b", re.IGNORECASE)
_UNFINISHED = re.compile(
    r"\b(?:is|are|was|in|of|by|the|from|with|to|than|not|and|or|for|on|avoid|an?)\Z", re.IGNORECASE
)
_VERDICT_IS = re.compile(rf"\b{VERDICT} (?:is|would be|goes to)\Z", re.IGNORECASE)


def completes_previous(before: str) -> bool:
    """Whether a label by itself answers or completes the sentence before it, so is no verdict."""
    if before.endswith("?"):
        return bool(_ASKS_FOR_WORST.search(before)) or not _ASKS_FOR_BEST.search(before)
    return bool(_UNFINISHED.search(before)) and not _VERDICT_IS.search(before)


def rejects_label(rest: str) -> bool:
    """Whether the `rest` of a sentence that starts with a label may speak against that label."""
    return bool(_REJECTION.search(_OTHER_LABEL.split(rest, maxsplit=1)[0]))


def is_unqualified(before: str, statement: str) -> bool:
    """Whether nothing `before` a statement reports or limits it."""
    qualified = _REPORTED.search(before) or _LIMITED_BEFORE.match(re.split("[,;:(]", before)[-1])
    return not qualified and not (" would be" in statement and _HYPOTHETICAL.search(before))


def is_concession(statement: str, rest: str) -> bool:
    """Whether the `rest` of its sentence makes a statement a concession."""
    return bool(
        _LIMITED_AFTER.search(rest) or (_TENTATIVE.search(statement) and _CONTRAST.search(rest))
    )


def is_qualified_below(line: str, below: str) -> bool:
    """Whether the sentence `below` reverses or limits what `line` states."""
    if _LIMITED_BELOW.search(below):
        return True
    return bool(_TENTATIVE.search(line) and _CONTRAST_BELOW.match(below))
