"""Input completeness: inputs that are missing, cut off or placeholders.

Only clear signs count. Most cut texts end like any other text, and "interpret the potassium" may or
may not need a report. So many cases are missed, but a complete task is almost never dropped: lists,
objects, code and sentences to complete end in any way.
"""

# ruff: noqa: RUF001  (marks that are not ASCII are meant)
import re

_TEXT = (
    "(?:notes?|passages?|paragraphs?|reports?|letters?|texts?|abstract|articles?|messages?|emails?"
    "|transcript|dialogue|conversation|exchange|excerpts?|extract|vignettes?|case|scenario|story"
    "|summary|statements?|sentences?|descriptions?|explanation|lists?|tables?|chart|records?|paper"
    "|options|choices|questions?|document|leaflet|prescription|input|facts|details|situation"
    "|data|results?|findings|readings|symptoms|images?|x-ray|scan|ecg|figure)"
)
_WORK = (
    "(?:classify|sort|group|label|categori[sz]e|condense|shorten|summari[sz]e|rewrite|recast|reword"
    "|rephrase|simplify|translate|interpret|read|based[ ]on|considering|using|from)"
)
_EPITHETS = r"(?:(?!(?:and|or|of|in|on|to|for|with|by)\b)[\w'’/-]+\s+){0,3}?"
_POINTER = re.compile(
    rf"""\b(?:
    the\ following\b(?!\ (?:day|week|month|year|morning|evening|night))(?:\ {_EPITHETS}{_TEXT}\b)?
    | the\ (?:given|provided)\ (?!time|day|dose|rate)\w+
    | (?:the|this|these|from|on|using|to)\ (?:given|provided|attached|enclosed|presented)
      \ {_EPITHETS}{_TEXT}\b
    | th(?:is|ese)\ {_EPITHETS}{_TEXT}\b
    | {_WORK}\ (?:these|the\ vignette)\b
    | \w+(?<!\band)(?<!\bor)(?<!\bfrom)\ (?:below|above)(?=[.,;?!)]|$|\ (?:into|as|to|so|without)\b)
    | {_TEXT}\ that\ follows?\b
    | (?:given|described|shown)\ here\b
    | the\ input\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_POINTING = re.compile(
    r"\b(?:following|given|provided|attached|enclosed|presented|this|these|below|above|input|here"
    r"|follows?|vignette)\b",
    re.IGNORECASE,
)
# A quotation, a line break, a colon or a dash: the instruction contains the text itself.
_OWN_TEXT = re.compile(r"[\"“”«»\n]|[:–—]\s*\S| - |\([^()]*,")
_STOP = re.compile(r"[.?!]\s")


def missing_input(instruction: str, input: str) -> str | None:
    """Find words that refer to a text, if neither the input nor the instruction contains it."""
    if input.strip() or not _POINTING.search(instruction) or _OWN_TEXT.search(instruction):
        return None  # a quick test that settles most rows
    pointer = _POINTER.search(instruction)
    if not pointer or len(instruction[: pointer.start()].split()) >= 12:
        return None
    stops = [stop.end() for stop in _STOP.finditer(instruction)]
    before = max((stop for stop in stops if stop <= pointer.start()), default=0)
    after = min((stop for stop in stops if stop >= pointer.end()), default=len(instruction))
    if len(instruction[:before].split()) >= 6 or len(instruction[after:].split()) >= 15:
        return None  # the other sentences describe the case
    return pointer.group()


# A list or an object has commas, digits, colons or quotes; a placeholder says what should be there.
_PLACEHOLDER = re.compile(
    r"[\[<{](?=\s*[a-z]+\s+[a-z])[^\[\]<>{},;:=\d\"'“”()/|+*\\]*[\]>}]\.?"
    r"|\((?:no|not|none|see|insert|paste)\b[^()]*\)|[.?_\s]+|n/a"
    r"|no input.{0,15}|lorem ipsum.*"
    r"|not (?:applicable|provided|available|needed|required)\.?|see (?:above|below|attached)\b.*",
    re.IGNORECASE,
)
_INSERT = re.compile(
    r"[\[<{(]\s*(?:please )?(?:insert|paste)\s(?!into\b)[^\[\]<>{}()]*[\]>})]", re.IGNORECASE
)
_MARKUP = re.compile(r"</?[a-z][a-z0-9]*\s*/?>\.?", re.IGNORECASE)
_NEVER = """
the an and or of from with into because although while whereas whether than whose their your my our
its
"""
_NEVER_LAST = frozenset(_NEVER.split())
_PROSE = 8  # words in the last line of a text that was cut off
# The task is to go on from there, or it is about words, which may stand for themselves.
_GOES_ON = re.compile(
    r"\b(?:complet|continu|finish|fill|end(?:ing)?\b|next|predict|insert|add|blank|gap|missing"
    r"|follow(?:s|ed)\b|start|begin|begun|extend|expand|correct|proofread|punctuat|edit|grammar"
    r"|word|phrase|sentence|prompt|story|poem|line|lyric|rhym|joke|analogy|preposition|conjunction"
    r"|article|code|function|query|program|script|regex|syntax|string|token|type of)",
    re.IGNORECASE,
)
_CODE = re.compile(r"[{}=<>\\]|\w\(|;\s|^\s*(?:#|//|def |class |import |select )", re.I | re.M)


def unfinished_input(instruction: str, input: str) -> str | None:
    """Find a placeholder, or an end in mid-sentence that the instruction does not ask to go on."""
    if not input:
        return None
    if len(input) < 80 and _PLACEHOLDER.fullmatch(input) and not _MARKUP.fullmatch(input):
        return input
    if inserted := _INSERT.search(input):
        return inserted.group()
    line = input[input.rfind("\n") + 1 :]
    words = line.split()
    if len(words) < _PROSE or words[-1] not in _NEVER_LAST:
        return None
    if _GOES_ON.search(instruction) or _CODE.search(input):
        return None
    return " ".join(words[-3:])
