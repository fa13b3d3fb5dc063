"""A judge's reply as plain text, without its thoughts, and its sentences."""

import re
import unicodedata
from collections.abc import Iterator

_UNUSUAL = str.maketrans("’‘„‟", "''““", "\u200b\ufeff\ufe0f\r🏆🥇✅")  # noqa: RUF001
_LATEX = re.compile(
    r"\\(?:boxed|fbox|text(?:bf|it|rm)?|math(?:rm|bf)|emph)\b\s*|\$|\\(?=[\[\](){}<>=])"
)
_TAG = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]{0,20}\s?/?>")
_WHOLE = re.compile(r"\s*```++\w*\n([^`]*)```+\s*")
# a fence, a line after ">", quotation marks; an unclosed quotation ends with its paragraph. An inch
# mark or an apostrophe follows a letter or digit, an opening quotation mark does not.
_QUOTATIONS = re.compile(
    r"(```|~~~).*?(?:\1|\Z)|^[ \t]*>[^\n]*$|"
    r'(?<![\w.!?])"(?:[^"]*+"|(?:[^\n]|\n(?!\n))*)|“[^“”]*+(?:”|\Z)|«[^«»]*+(?:»|\Z)|'
    r"「[^「」]*+(?:」|\Z)|(?<!\w)'(?=\S)[^'\n]*(?:(?<=\w)'(?=\w)[^'\n]*)*'(?!\w)|`[^`\n]*+`",
    re.MULTILINE | re.DOTALL,
)
_BULLET = re.compile(r"^\s*(?:#{1,6}|[-+•]|\d{1,2}[.)](?=\s))\s*")
_EMPHASIS = re.compile(r"\*+|(?<!\w)_+|_+(?!\w)|~~")
_SENTENCE = re.compile(r"(?<=[.!?;。])(?<!\bvs\.)(?<!\bdr\.)(?<!e\.g\.)(?<!i\.e\.)(?:\s+|(?<=。))")
_WRAPPED = 40  # a line of this length that ends in a word continues in the next one
_CONTINUES = re.compile(
    r"[:,]\Z|\b(?:is|are|was|in|of|by|the|from|with|to|than|not|and|or|for|on|an?|that|say|avoid|"
    r"verdict|answer|choice|decision|judge?ment|conclusion)\Z"
)
_NO_MARKUP = str.maketrans("", "", '*_`#"“”')


def normalise(reply: str) -> str:
    """Normalise letters, spaces and LaTeX, and remove a fence around the whole reply."""
    text = unicodedata.normalize("NFKC", reply).translate(_UNUSUAL)
    text = _TAG.sub(" ", text.replace("&gt;", ">").replace("&lt;", "<"))
    if {*"\\${"} & {*text}:
        text = _LATEX.sub("", text).replace("{", " ").replace("}", " ")
    match = _WHOLE.fullmatch(text)
    return match[1] if match else text


def compact(text: str) -> str:
    """Give a text's words without markup, so that repetitions are found."""
    return " ".join(text.translate(_NO_MARKUP).split()).strip(" .,:;!?")


def hide_quotations(text: str) -> str:
    """Replace each quotation by an ellipsis."""
    return _QUOTATIONS.sub(lambda quote: "…" + ". " * (quote[0][-2:-1] in {*".!?"}), text)


def split_sentences(text: str) -> list[str]:
    """Split into sentences without markup."""
    parts = (part.strip() for line in _lines(text) for part in _SENTENCE.split(line))
    return [part for part in parts if re.search(r"\w", part)]


def _lines(text: str) -> Iterator[str]:
    """Give the lines; one that does not end there is joined with the next."""
    before, blank = "", True
    for raw in text.split("\n"):
        line = _EMPHASIS.sub("", _BULLET.sub("", raw)).strip()
        wrapped = not blank and len(before) >= _WRAPPED and before[-1:].isalnum()
        blank = not line
        if before and line and (wrapped or _CONTINUES.search(before)):
            before = f"{before} {line}"
        elif line:
            yield before
            before = line
    yield before
