"""Labels as symbols: each spelling of a label becomes one letter, so that patterns can read it."""

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

from alpacare.judging.verdicts.reply_text import normalise
from alpacare.records.judgment import Slot

_SYMBOLS: dict[Slot, tuple[str, str]] = {
    "first": ("F", "X"), "second": ("S", "Y"), "tie": ("T", "Z"),
}  # fmt: skip
# interchangeable nouns; "answer", "option" and "choice" also name answers to quizzes
_NOUNS = ("output", "response", "assistant", "model", "candidate", "completion")
# a lower-case "a" behind a noun may be an article, unless one of these follows
_NO_NOUN = r"(?!\s+(?!(?:is|was|wins|over|than|because|since|due|as|and|or|for|to|if|but)\b)\w)"
_LONGEST_LABEL = 60  # letters of a reply that is nothing but a label
_AROUND = " \t\n.,:;!?*_#-\"'“”`"


@dataclass(frozen=True)
class Spellings:
    """The spellings of one judge's labels.

    Labels are the symbols F (first), S (second) and T (tie); short forms, as "A", are X, Y and Z.
    `marks`: labels are in double brackets or the like, so that no other text looks like them.
    """

    pattern: re.Pattern[str]
    marks: bool

    def symbols(self, text: str) -> str:
        """Replace each label by its symbol; everything else becomes lower case."""
        out, end = [], 0
        for match in self.pattern.finditer(text):
            out += [text[end : match.start()].lower(), match.lastgroup or ""]
            end = match.end()
        return "".join([*out, text[end:].lower()])

    def only_label(self, text: str) -> str:
        """Give the symbol of a text that is only one label, else ""."""
        text = text.strip()
        symbol = self.symbols(text).strip(_AROUND) if len(text) <= _LONGEST_LABEL else ""
        return symbol if symbol in {*"FSTXYZ"} else ""


@lru_cache
def find_spellings(labels: tuple[tuple[str, Slot], ...]) -> Spellings:
    """Split labels, such as "Output (a)" into a noun, brackets and "a", and build all spellings."""
    named = [(normalise(label).strip(), slot) for label, slot in labels]
    named.sort(key=lambda each: -len(each[0]))
    decided = [label for label, slot in named if slot != "tie"]
    before = re.sub(r"\w+\Z", "", _common(decided))
    after = re.sub(r"\A\w+", "", _common([label[::-1] for label in decided])[::-1])
    marks = len(before) > 1 and not re.search(r"[\w\s]", before)
    words, cores = {"tie", "draw"}, list[str]()
    found: dict[str, list[str]] = defaultdict(list)
    for label, slot in named:
        symbol, short = _SYMBOLS[slot]
        if slot == "tie" and not (marks and label.startswith(before)):
            words.add(label.lower())
            continue
        core = label[len(before) : len(label) - len(after)]
        cores.append(core)
        if marks:
            found[symbol].append(_mark(before, core, after))
        found[short if marks else symbol].append(_with_noun(before, core))
        own = symbol if len(core) > 1 and not marks else short
        found[own].append(_short_form(core))
    if marks:
        found["T"] += [_mark(before, word, after) for word in ("tie", "draw")]
    word = "|".join(sorted(map(re.escape, words), reverse=True))
    found["Z" if marks else "T"].append(rf"(?<![\w-])(?i:{word})(?![\w-])")
    groups = (f"(?P<{name}>{'|'.join(each)})" for name, each in found.items())
    # a label starts with one of these letters and not inside a word: most places fail at once
    heads = {text[0] for text in (*words, *_NOUNS, *cores, "(", "[", *decided)}
    start = re.escape("".join(heads | {head.swapcase() for head in heads}))
    return Spellings(re.compile(rf"(?:(?<!\w)|(?=\W))(?=[{start}])(?:{'|'.join(groups)})"), marks)


def _common(texts: list[str]) -> str:
    """Give what all texts begin with."""
    columns = takewhile(lambda each: len({*each}) == 1, zip(*texts, strict=False))
    return "".join(column[0] for column in columns)


def _mark(before: str, core: str, after: str) -> str:
    start, middle, end = (r"\s*".join(map(re.escape, part)) for part in (before, core, after))
    noun = rf"(?:(?:{'|'.join(_NOUNS)})\s*)?"
    return rf"(?i:{start}\s*{noun}{middle}\s*{end})"


def _with_noun(before: str, core: str) -> str:
    own = r"[ _-]?".join(map(re.escape, re.findall(r"\w+", before.lower())))
    nouns = "|".join(sorted({*_NOUNS, own} - {""}, key=len, reverse=True))
    return rf"(?<!\w)(?i:{nouns})[ \t_-]{{0,3}}(?:{_in_brackets(core)}|{_as_word(core)}{_NO_NOUN})"


def _short_form(core: str) -> str:
    """Match "(a)", a bare "A", and a bare "a" or "1" only where the sentence ends."""
    if len(core) > 1 and not core.isdigit():
        return rf"(?<![\w-])[(\[]{{0,2}}(?i:{re.escape(core)})[)\]]{{0,2}}(?![\w-])"
    capital = rf"|{core.upper()}(?![\w/-])" if core.isalpha() else ""
    last = rf"{_as_word(core)}(?!\W*\w)"
    return rf"(?<!\w){_in_brackets(core)}|(?<![\w/.'-])(?:{last}{capital})"


def _in_brackets(core: str) -> str:
    return rf"[(\[]{{1,2}} ?(?i:{re.escape(core)}) ?[)\]]{{1,2}}"


def _as_word(core: str) -> str:
    return rf"(?i:{re.escape(core)})(?![\w/-])"
