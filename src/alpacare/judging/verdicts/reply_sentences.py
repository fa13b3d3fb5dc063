"""The judge's own sentences in a reply: without thinking, quotations and markup."""

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
QUOTATION = "\ue000"  # replaces a quotation; removed from replies, as it is in no alphabet

_UNUSUAL = str.maketrans("’‘„‟", "''““", f"\u200b\ufeff\ufe0f\r🏆🥇✅{QUOTATION}")  # noqa: RUF001
_LATEX = re.compile(
    r"\\(?:boxed|fbox|text(?:bf|it|rm)?|math(?:rm|bf)|emph)\b\s*|\$|\\(?=[\[\](){}])"
)
_THINKING_ENDS = re.compile(r"</(?:think|thinking|reasoning)>", re.IGNORECASE)
_THINKING_BEGINS = re.compile(r"<(?:think|thinking|reasoning)>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]{0,20}\s?/?>")
_FENCE = re.compile(
    r"^[ \t]*(```++|~~~++)[^\n]*\n(.*?)(?:^[ \t]*\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL
)
_QUOTE_LINE = re.compile(r"^[ \t]*>[^\n]*$", re.MULTILINE)
# an inch mark or an apostrophe follows a letter or digit, an opening quotation mark does not
_QUOTATIONS = (
    re.compile(r"“([^“”]*+)(?:”|\Z)"),
    re.compile(r"«([^«»]*+)(?:»|\Z)"),
    re.compile(r"「([^「」]*+)(?:」|\Z)"),
    # not possessive: Python before 3.11.5 then finds nothing
    re.compile(r"(?<!\w)'(?=\S)([^'\n]*(?:(?<=\w)'(?=\w)[^'\n]*)*)'(?!\w)"),
    re.compile(r"(?<!`)`([^`\n]*+)`"),
)
_NO_OPENING = re.compile(r"[\w.!?]")  # before an inch mark or a closing quotation mark
_BULLET = re.compile(r"^\s*(?:#{1,6}|[-+•]|\d{1,2}[.)](?=\s))\s*")
_EMPHASIS = re.compile(r"\*+|(?<!\w)_+|_+(?!\w)|~~")
_WRAPPED = re.compile(r"""\s*(?:```++\w*\n([^`]*)```+|["'`“«]([^"'`“”«»\n]*)["'`”»])\s*""")
_HEADING = re.compile(rf"(?:the |my |your )?{VERDICT}\s*:?", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?;。])(?<!\bvs\.)(?<!\bDr\.)(?<!e\.g\.)(?<!i\.e\.)(?:\s+|(?<=。))")
_HARD_WRAP = 40  # a line of this length that ends in a word continues in the next one


@dataclass(frozen=True)
class Sentence:
    """A sentence of the judge; `before` is the sentence before it.

    `whole_line`: it is alone in its line, apart from quotations.
    """

    text: str
    before: str
    whole_line: bool


def remove_thinking(reply: str) -> str:
    """Remove the thinking: its opening tag may be in the prompt, its end may be cut off."""
    answer = _THINKING_ENDS.split(reply)[-1]
    return _THINKING_BEGINS.split(answer, maxsplit=1)[0]


def normalise(reply: str) -> str:
    """Normalise letters, spaces and LaTeX, and remove a fence or quotes around the whole reply."""
    text = unicodedata.normalize("NFKC", reply).translate(_UNUSUAL)
    if "<" in text:
        text = _TAG.sub(" ", text)
    if {*"\\${"} & {*text}:
        text = _LATEX.sub("", text).replace("{", " ").replace("}", " ")
    match = _WRAPPED.fullmatch(text)
    return (match[1] or match[2] or "") if match else text


def split_sentences(
    text: str, is_label: Callable[[str], bool], keep_quoted: bool
) -> list[Sentence]:
    """Split a normalised reply into the judge's own sentences.

    Each quotation becomes one symbol. With `keep_quoted`, a quotation that is only a label stays
    that label; one in backticks always does.
    """

    def hide(inner: str, keep: bool = keep_quoted) -> str:
        if keep and is_label(inner.strip()):
            return inner
        return QUOTATION + (". " if inner.rstrip().endswith((".", "!", "?")) else "")

    text = _FENCE.sub(lambda match: f"\n{hide(match[2])}\n", text)
    text = _replace_double_quoted(_QUOTE_LINE.sub(QUOTATION, text), hide)
    for pattern in _QUOTATIONS:
        text = pattern.sub(lambda match: hide(match[1], keep_quoted or match[0][0] == "`"), text)
    found: list[Sentence] = []
    for line in _lines(text):
        parts = [part.strip() for part in _SENTENCE.split(line) if _has_words(part)]
        for part in parts:
            found.append(Sentence(part, found[-1].text if found else "", len(parts) == 1))
    return found


def _replace_double_quoted(text: str, hide: Callable[[str], str]) -> str:
    """Replace text in straight double quotes; without a closing quote, the whole paragraph."""
    pieces = text.split('"')
    out, at = [pieces[0]], 1
    while at < len(pieces):
        if out[-1] and not out[-1][-1].isspace() and _NO_OPENING.match(out[-1][-1]):
            out.append(pieces[at])  # an inch mark, or a single one
        elif at + 1 < len(pieces):
            end = _closing_piece(pieces, at)
            out += [hide('"'.join(pieces[at:end])), pieces[end]]
            at = end
        else:
            _, rule, rest = pieces[at].partition("\n\n")
            out += [QUOTATION, rule + rest]
        at += 1
    return "".join(out)


def _closing_piece(pieces: list[str], start: int) -> int:
    """Find the piece after the quotation that begins at `start`; quotations may be nested."""
    depth = 1
    for at in range(start + 1, len(pieces)):
        inside, after = pieces[at - 1], pieces[at]
        opens = inside[-1:].isspace() and after[:1].isalnum() and at + 1 < len(pieces)
        depth += 1 if opens else -1
        if not depth:
            return at
    return start + 1


def _has_words(part: str) -> bool:
    return any(letter.isalnum() for letter in part)


def _lines(text: str) -> Iterator[str]:
    """Give the lines without markup; a heading such as "Verdict" is joined with the next line."""
    open_line, blank = "", True
    for raw in text.split("\n"):
        line = _EMPHASIS.sub("", _BULLET.sub("", raw)).strip()
        if not (_has_words(line) or QUOTATION in line):
            blank = True
            continue
        heading = _HEADING.fullmatch(open_line)
        if heading or open_line.endswith(":") or _continues(open_line, line, blank):
            open_line += f"{':' if heading and not open_line.endswith(':') else ''} {line}"
        else:
            yield open_line
            open_line = line
        blank = False
    yield open_line


def _continues(line: str, below: str, blank: bool) -> bool:
    ended = not (line[-1:].isalnum() or line[-1:] == ",")
    return not (blank or ended) and (len(line) >= _HARD_WRAP or below[0].islower())
