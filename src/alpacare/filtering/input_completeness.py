"""Whether a task's material is there and whole: an input that is missing, cut off or a placeholder.

Both look for plain signs only. Most cut texts end like any other, and "interpret the potassium" may
or may not need a report: what stays unfound is the price of hardly ever being wrong.
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
# A quotation, a line break, a colon or a dash: the instruction brings the material itself.
_OWN_MATERIAL = re.compile(r"[\"“”«»\n]|[:–—]\s*\S| - |\([^()]*,")
_STOP = re.compile(r"[.?!]\s")


def missing(instruction: str, input: str) -> str | None:
    """Find words that point to material, if there is none in the input nor around them."""
    if input.strip() or not _POINTING.search(instruction) or _OWN_MATERIAL.search(instruction):
        return None  # quick, for most rows
    pointer = _POINTER.search(instruction)
    if not pointer or len(instruction[: pointer.start()].split()) >= 12:
        return None
    stops = [stop.end() for stop in _STOP.finditer(instruction)]
    before = max((stop for stop in stops if stop <= pointer.start()), default=0)
    after = min((stop for stop in stops if stop >= pointer.end()), default=len(instruction))
    if len(instruction[:before].split()) >= 6 or len(instruction[after:].split()) >= 15:
        return None  # other sentences tell the case
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


def unfinished(input: str) -> str | None:
    """Find a placeholder, or an end in mid-sentence."""
    if not input:
        return None
    if len(input) < 80 and _PLACEHOLDER.fullmatch(input):
        return input
    inserted = _INSERT.search(input)
    if inserted:
        return inserted.group()
    line = input[input.rfind("\n") + 1 :]
    end = line.rsplit(None, 4)
    speaker = len(line) < len(input) and len(end) <= 4  # "Nurse:", and the answer is the task
    if line.endswith(_OPEN) or end[-1] in _NEVER_LAST or (line.endswith(":") and not speaker):
        return " ".join(end[-3:])
    return None
