"""Input completeness: inputs that are missing, cut off or placeholders.

Only clear signs count. Most cut texts end like any other text, and "interpret the potassium" may or
may not need a report. So many cases are missed, but a complete task is almost never dropped.
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


_PLACEHOLDER = re.compile(
    r"[\[<{][^\[\]<>{}]*[\]>}]\.?|\((?:no|not|none|see|insert|paste)\b[^()]*\)|[.?_\-*\s]+|n/?a|nan"
    r"|none|null|tbd|no input.{0,15}|lorem .*"
    r"|not (?:applicable|provided|available|needed|required)\.?|see (?:above|below|attached)\b.*",
    re.IGNORECASE,
)
_INSERT = re.compile(r"[\[<{(]\s*(?:please )?(?:insert|paste)\b[^\[\]<>{}()]*.?", re.IGNORECASE)
_OPEN = (",", ";", "(", "[", "...", "…")
_NEVER = """
the an and or of from with into because although while whereas whether than which whose their your
my our its was were - – —
"""
_NEVER_LAST = frozenset(_NEVER.split())


def unfinished_input(input: str) -> str | None:
    """Find a placeholder, or an end in mid-sentence."""
    if not input:
        return None
    if len(input) < 80 and _PLACEHOLDER.fullmatch(input):
        return input
    if inserted := _INSERT.search(input):
        return inserted.group()
    line = input[input.rfind("\n") + 1 :]
    end = line.rsplit(None, 4)
    speaker = len(line) < len(input) and len(end) <= 4  # "Nurse:", and the answer is the task
    if line.endswith(_OPEN) or end[-1] in _NEVER_LAST or (line.endswith(":") and not speaker):
        return " ".join(end[-3:])
    return None
