"""What of a judge's reply is its own word, sentence by sentence: no quotations, no markup."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# what judges call their verdict
VERDICT = (
    r"(?:(?:final|overall|better|best|preferred|chosen|winning) )*+"
    r"(?:verdict|answer|choice|decision|judge?ment|conclusion|winner|preference|pick|selection|"
    r"(?<=better )(?:one|output|response)|(?<=best )(?:one|output|response)|"
    r"(?<=preferred )(?:one|output|response)|(?<=winning )(?:output|response)|result|vote)"
)
QUOTED = "\ue000"  # stands for a quotation; taken out of replies, as a letter of nobody's

_ODD = str.maketrans("’‘„‟", "''““", f"\u200b\ufeff\ufe0f\r🏆🥇✅{QUOTED}")  # noqa: RUF001
_LATEX = re.compile(
    r"\\(?:boxed|fbox|text(?:bf|it|rm)?|math(?:rm|bf)|emph)\b\s*|\$|\\(?=[\[\](){}])"
)
_THOUGHT_ENDS = re.compile(r"</(?:think|thinking|reasoning)>", re.IGNORECASE)
_THOUGHT_BEGINS = re.compile(r"<(?:think|thinking|reasoning)>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]{0,20}\s?/?>")
_FENCE = re.compile(
    r"^[ \t]*(```++|~~~++)[^\n]*\n(.*?)(?:^[ \t]*\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL
)
_QUOTE_LINE = re.compile(r"^[ \t]*>[^\n]*$", re.MULTILINE)
# a mark of inches or an apostrophe follows a letter or digit, an opening quotation mark does not
_QUOTATIONS = (
    re.compile(r"“([^“”]*+)(?:”|\Z)"),
    re.compile(r"«([^«»]*+)(?:»|\Z)"),
    re.compile(r"「([^「」]*+)(?:」|\Z)"),
    re.compile(r"(?<!\w)'(?=\S)([^'\n]*+(?:(?<=\w)'(?=\w)[^'\n]*+)*+)'(?!\w)"),
    re.compile(r"(?<!`)`([^`\n]*+)`"),
)
_OPENS = re.compile(r"[\w.!?]")  # what stands before a mark of inches or a closing one
_BULLET = re.compile(r"^\s*(?:#{1,6}|[-+•]|\d{1,2}[.)](?=\s))\s*")
_EMPHASIS = re.compile(r"\*+|(?<!\w)_+|_+(?!\w)|~~")
_WRAPPED = re.compile(r"""\s*(?:```++\w*\n([^`]*)```+|["'`“«]([^"'`“”«»\n]*)["'`”»])\s*""")
_HEADING = re.compile(rf"(?:the |my |your )?{VERDICT}\s*:?", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?;。])(?<!\bvs\.)(?<!\bDr\.)(?<!e\.g\.)(?<!i\.e\.)(?:\s+|(?<=。))")
_HARD_WRAP = 40  # a line at least so long that ends in a word goes on in the next


@dataclass(frozen=True)
class Sentence:
    """A sentence of the judge's; `before` is what stands right before it in the same paragraph.

    `alone` if it makes up its line, but for quotations.
    """

    text: str
    before: str
    alone: bool


def without_thoughts(reply: str) -> str:
    """Take off what the judge thought: its opening tag may be in the prompt, its end cut off."""
    spoken = _THOUGHT_ENDS.split(reply)[-1]
    return _THOUGHT_BEGINS.split(spoken, maxsplit=1)[0]


def plain(reply: str) -> str:
    """Write odd letters, spaces and LaTeX plainly, and take off what encloses the whole reply."""
    text = unicodedata.normalize("NFKC", reply).translate(_ODD)
    if "<" in text:
        text = _TAG.sub(" ", text)
    if {*"\\${"} & {*text}:
        text = _LATEX.sub("", text).replace("{", " ").replace("}", " ")
    match = _WRAPPED.fullmatch(text)
    return (match[1] or match[2] or "") if match else text


def sentences(text: str, is_label: Callable[[str], bool], keep_quoted: bool) -> list[Sentence]:
    """Cut a plain reply into the judge's own sentences.

    Quotations become one symbol each. Where `keep_quoted`, those that hold nothing but a label stay
    as that label; in backticks they always do.
    """

    def hide(inner: str, keep: bool = keep_quoted) -> str:
        if keep and is_label(inner.strip()):
            return inner
        return QUOTED + (". " if inner.rstrip().endswith((".", "!", "?")) else "")

    text = _FENCE.sub(lambda match: f"\n{hide(match[2])}\n", text)
    text = _hide_double(_QUOTE_LINE.sub(QUOTED, text), hide)
    for pattern in _QUOTATIONS:
        text = pattern.sub(lambda match: hide(match[1], keep_quoted or match[0][0] == "`"), text)
    return list(_cut(text))


def _hide_double(text: str, hide: Callable[[str], str]) -> str:
    """Hide what stands in straight double quotes; one that nothing closes hides its paragraph."""
    pieces = text.split('"')
    out, at = [pieces[0]], 1
    while at < len(pieces):
        if out[-1] and not out[-1][-1].isspace() and _OPENS.match(out[-1][-1]):
            out.append(pieces[at])  # 12" or a stray one
        elif at + 1 < len(pieces):
            end = _closing(pieces, at)
            out += [hide('"'.join(pieces[at:end])), pieces[end]]
            at = end
        else:
            _, rule, rest = pieces[at].partition("\n\n")
            out += [QUOTED, rule + rest]
        at += 1
    return "".join(out)


def _closing(pieces: list[str], start: int) -> int:
    """Find the piece behind the quotation that begins at `start`; it may hold others."""
    depth = 1
    for at in range(start + 1, len(pieces)):
        inside, after = pieces[at - 1], pieces[at]
        opens = inside[-1:].isspace() and after[:1].isalnum() and at + 1 < len(pieces)
        depth += 1 if opens else -1
        if not depth:
            return at
    return start + 1


def _cut(text: str) -> Iterator[Sentence]:
    before = ""
    for line in _lines(text):
        parts = [part for part in _SENTENCE.split(line) if _is_said(part)]
        for part in parts:
            yield Sentence(part.strip(), before, len(parts) == 1)
            before = part.strip()


def _is_said(part: str) -> bool:
    return any(letter.isalnum() for letter in part)


def _lines(text: str) -> Iterator[str]:
    """Give the lines without markup; a heading that asks for a verdict is one with what follows."""
    open_line, blank = "", True
    for raw in text.split("\n"):
        line = _EMPHASIS.sub("", _BULLET.sub("", raw)).strip()
        if not (_is_said(line) or QUOTED in line):
            blank = True
            continue
        heading = _HEADING.fullmatch(open_line)
        if heading or open_line.endswith(":") or _goes_on(open_line, line, blank):
            open_line += f"{':' if heading and not open_line.endswith(':') else ''} {line}"
        else:
            yield open_line
            open_line = line
        blank = False
    yield open_line


def _goes_on(line: str, below: str, blank: bool) -> bool:
    ended = not (line[-1:].isalnum() or line[-1:] == ",")
    return not (blank or ended) and (len(line) >= _HARD_WRAP or below[0].islower())
