"""Input completeness: inputs that are missing, or placeholders.

Only clear signs count, so many cases are missed, but a complete task is almost never dropped.
"Interpret the potassium" may or may not need a report. A text that ends in mid-sentence ("is
supplied by branches of the") is as often a question to complete, or code, as one that was cut off:
so the end of a text is no sign.
"""

# ruff: noqa: RUF001  (marks that are not ASCII are meant)
import re

_TEXT = (
    "(?:notes?|passages?|paragraphs?|reports?|letters?|texts?|abstract|articles?|messages?|emails?"
    "|transcript|dialogue|conversation|exchange|excerpts?|extract|vignettes?|case|scenario|story"
    "|summary|statements?|sentences?|descriptions?|explanation|lists?|tables?|chart|records?|paper"
    "|options|choices|questions?|document|leaflet|prescription|input|facts|details|situation"
    "|data|results?|findings|readings|symptoms|images?|pictures?|photos?|x-ray|scan|ecg|figure)"
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


_LONGEST = 80  # characters of a placeholder
# Brackets around words that name what should be there. A list or an object has commas, digits,
# colons or quotes; a form with blanks has words outside.
_PLACEHOLDER = re.compile(
    rf"""(?:
    [\[<{{](?=[^\]}}>]*\b(?:insert|paste|your|here|{_TEXT})\b)\s*[a-z]+\s+[a-z]
      [^\[\]<>{{}}(),;:=\d"'“”|+*\\]*[\]}}>]
    | \((?:no|not|none|see|insert|paste)\b[^()]*\)
    | see\ (?:above|below|attached)\b.*
    )\.?""",
    re.IGNORECASE | re.VERBOSE,
)
_NO_INPUT = re.compile(
    r"(?:n/a|no input.{0,15}|not (?:applicable|provided|available|needed|required))\.?",
    re.IGNORECASE,
)


def unfinished_input(instruction: str, input: str) -> str | None:
    """Find an input that is only a placeholder: "[insert report here]", "see above".

    "N/A" is one if the instruction refers to a text; otherwise it says that none is needed.
    """
    if not input or len(input) > _LONGEST:
        return None
    if _NO_INPUT.fullmatch(input):
        return input if missing_input(instruction, "") else None
    return input if _PLACEHOLDER.fullmatch(input) else None
