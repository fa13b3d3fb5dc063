"""A judge's reply as plain text, and its own sentences, without what it quotes."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache

QUOTATION = "\ue000"  # replaces a quotation; removed from replies, as it is in no alphabet
_UNUSUAL = str.maketrans("’‘„‟", "''““", f"\u200b\ufeff\ufe0f\r🏆🥇✅{QUOTATION}")  # noqa: RUF001
_LATEX = re.compile(
    r"\\(?:boxed|fbox|text(?:bf|it|rm)?|math(?:rm|bf)|emph)\b\s*|\$|\\(?=[\[\](){}<>=])"
)
_TAG = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]{0,20}\s?/?>")
_WHOLE = re.compile(r"""\s*(?:```++\w*\n([^`]*)```+|["'`“«]([^"'`“”«»\n]*)["'`”»])\s*""")
# a fence, a line after ">", quotation marks; an unclosed quotation ends with its paragraph. An inch
# mark or an apostrophe follows a letter or digit, an opening quotation mark does not.
_QUOTATIONS = tuple(
    re.compile(pattern, re.MULTILINE | re.DOTALL)
    for pattern in (
        r"^[ \t]*(?:```++|~~~++)[^\n]*\n(.*?)(?:^[ \t]*(?:```++|~~~++)[ \t]*$|\Z)",
        r"^[ \t]*>()[^\n]*$",
        r'(?<![\w.!?])"(?:([^"]*+)"|(?:[^\n]|\n(?!\n))*)',
        r"“([^“”]*+)(?:”|\Z)",
        r"«([^«»]*+)(?:»|\Z)",
        r"「([^「」]*+)(?:」|\Z)",
        r"(?<!\w)'(?=\S)([^'\n]*(?:(?<=\w)'(?=\w)[^'\n]*)*)'(?!\w)",
        r"(?<!`)`([^`\n]*+)`",
    )
)
_BULLET = re.compile(r"^\s*(?:#{1,6}|[-+•]|\d{1,2}[.)](?=\s))\s*")
_EMPHASIS = re.compile(r"\*+|(?<!\w)_+|_+(?!\w)|~~")
_SENTENCE = re.compile(r"(?<=[.!?;。])(?<!\bvs\.)(?<!\bDr\.)(?<!e\.g\.)(?<!i\.e\.)(?:\s+|(?<=。))")
_NEAR = 80  # letters before a quotation that are read
_HARD_WRAP = 40  # a line of this length that ends in a word continues in the next one
_NO_MARKUP = str.maketrans("", "", '*_`#"“”')


def normalise(reply: str) -> str:
    """Normalise letters, spaces and LaTeX, and remove a fence or quotes around the whole reply."""
    text = unicodedata.normalize("NFKC", reply).translate(_UNUSUAL)
    if "&" in text:
        text = text.replace("&gt;", ">").replace("&lt;", "<")
    if "<" in text:
        text = _TAG.sub(" ", text)
    if {*"\\${"} & {*text}:
        text = _LATEX.sub("", text).replace("{", " ").replace("}", " ")
    match = _WHOLE.fullmatch(text)
    return (match[1] or match[2] or "") if match else text


def without_markup(text: str) -> str:
    """Remove emphasis, code and quotation marks."""
    return text.translate(_NO_MARKUP)


@lru_cache(maxsize=1024)  # the same answers are shown in both orders, and to several judges
def compact(text: str) -> str:
    """Give a text's words without markup, so that repetitions are found."""
    return " ".join(without_markup(normalise(text)).casefold().split()).strip(" .,:;!?")


def hide_quotations(text: str, keep: Callable[[str], bool] = lambda _: False) -> str:
    """Replace each quotation by one symbol.

    One that `keep` accepts stays, in backticks or behind other words of its line: "I choose 'A'".
    """

    def hide(match: re.Match[str]) -> str:
        inner, start = match[1] or "", match.start()
        before = match.string[max(0, start - _NEAR) : start]
        behind = before.rstrip().endswith(":") or _has_words(before.rpartition("\n")[2])
        if keep(inner) and (match[0][0] == "`" or behind):
            return inner
        return QUOTATION + (". " if inner.rstrip().endswith((".", "!", "?")) else "")

    for pattern in _QUOTATIONS:
        text = pattern.sub(hide, text)
    return text


def split_sentences(text: str, heading: re.Pattern[str]) -> list[tuple[str, bool]]:
    """Split into sentences, each with whether it is alone in its line."""
    found: list[tuple[str, bool]] = []
    for line in _lines(text, heading):
        parts = [part.strip() for part in _SENTENCE.split(line) if _has_words(part)]
        found += [(part, len(parts) == 1) for part in parts]
    return found


def _has_words(part: str) -> bool:
    return any(letter.isalnum() for letter in part)


def _lines(text: str, heading: re.Pattern[str]) -> Iterator[str]:
    """Give the lines without markup; a heading such as "Verdict" is joined with the next line."""
    before, blank = "", True
    for raw in text.split("\n"):
        line = _EMPHASIS.sub("", _BULLET.sub("", raw)).strip()
        if not (_has_words(line) or QUOTATION in line):
            blank = True
            continue
        ended = blank or not (before[-1:].isalnum() or before[-1:] == ",")
        wrapped = not ended and (len(before) >= _HARD_WRAP or line[0].islower())
        if before.endswith(":") or wrapped:
            before = f"{before} {line}"
        elif heading.fullmatch(before):
            before = f"{before}: {line}"
        else:
            yield before
            before = line
        blank = False
    yield before
