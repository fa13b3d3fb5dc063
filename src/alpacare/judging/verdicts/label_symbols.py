"""Labels as symbols: each spelling of a label becomes one letter, so that patterns can read it."""

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

from alpacare.judging.verdicts.reply_sentences import normalise

# interchangeable nouns; "answer", "option" and "choice" also name answers to quizzes
_NOUNS = ("output", "response", "assistant", "model", "candidate", "completion")
# a lower-case "a" behind a noun may be an article, unless one of these follows
_NO_NOUN = r"(?!\s+(?!(?:is|was|wins|over|than|because|since|due|as|and|or|for|to|if|but)\b)\w)"
_LONGEST_LABEL = 60  # letters of a reply that is nothing but a label
_AROUND = " \t\n.,:;!?*_#-\"'“”`"


@dataclass(frozen=True)
class LabelPattern:
    """The spellings of one judge's labels.

    The labels are the symbols F, S and T; short forms, such as "A", are X, Y and Z. `bracketed`:
    labels are in double brackets, so that no other text looks like them.
    """

    spelling: re.Pattern[str]
    bracketed: bool

    def symbols(self, text: str) -> str:
        """Replace each label by its symbol; everything else becomes lower case."""
        out, end = [], 0
        for match in self.spelling.finditer(text):
            out += [text[end : match.start()].lower(), (match.lastgroup or "")[0]]
            end = match.end()
        return "".join([*out, text[end:].lower()])

    def only_label(self, text: str) -> str:
        """Give the symbol of a text that is only one label, else ""."""
        text = text.strip()
        symbol = self.symbols(text).strip(_AROUND) if len(text) <= _LONGEST_LABEL else ""
        return symbol if symbol in {*"FSTXYZ"} else ""


@lru_cache
def label_pattern(first: str, second: str, tie: str | None) -> LabelPattern:
    """Split the labels, "Output (a)" into a noun, brackets and "a", and build all spellings."""
    first, second, tie = (normalise(label or "").strip() for label in (first, second, tie))
    before = re.sub(r"\w+\Z", "", _common_prefix(first, second))
    after = re.sub(r"\A\w+", "", _common_prefix(first[::-1], second[::-1])[::-1])
    bracketed = len(before) > 1 and not re.search(r"[\w\s]", before)
    alike = bracketed and tie.startswith(before) and tie.endswith(after)
    cores: list[str] = []
    spellings: dict[str, list[str]] = defaultdict(list)
    for symbol, short, label in (("F", "X", first), ("S", "Y", second), ("T", "Z", tie)):
        if label and (symbol != "T" or alike):
            core = label[len(before) : len(label) - len(after)]
            cores.append(core)
            if bracketed:
                parts = *map(re.escape, before), f"(?i:{re.escape(core)})", *map(re.escape, after)
                spellings[symbol].append(r"\s*".join(parts))
            spellings[short if bracketed else symbol].append(_with_noun(before, core))
            own = symbol if len(core) > 1 and not bracketed else short
            spellings[own].append(_short_form(core))
    words = {"tie", "draw"} if alike or not tie else {"tie", "draw", tie.lower()}
    word = "|".join(sorted(map(re.escape, words), reverse=True))
    spellings["Z" if bracketed else "T"].append(rf"(?<![\w-])(?i:{word})(?![\w-])")
    groups = (f"(?P<{name}>{'|'.join(each)})" for name, each in spellings.items())
    # a label starts with one of these letters and not inside a word: most places fail at once
    heads = "".join(text[0] for text in (*words, *_NOUNS, *cores, "(", "[", first, second))
    boundary = rf"(?:(?<!\w)|(?=\W))(?=[{re.escape(heads.lower() + heads.upper())}])"
    return LabelPattern(re.compile(f"{boundary}(?:{'|'.join(groups)})"), bracketed)


def _common_prefix(one: str, other: str) -> str:
    pairs = zip(one, other, strict=False)
    return "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _with_noun(before: str, core: str) -> str:
    own = r"[ _-]?".join(map(re.escape, re.findall(r"\w+", before.lower())))
    nouns = "|".join(sorted({*_NOUNS, own} - {""}, key=len, reverse=True))
    return rf"(?<!\w)(?i:{nouns})[ \t_-]{{0,3}}(?:{_in_brackets(core)}|{_as_word(core)}{_NO_NOUN})"


def _short_form(core: str) -> str:
    """Match "(a)", a bare "A", and a bare "a" or "1" only where the sentence ends."""
    if len(core) > 1 and not core.isdigit():
        return rf"(?<![\w-])(?i:{re.escape(core)})(?![\w-])"
    last = rf"{_as_word(core)}(?!\W*\w)"
    capital = rf"|{core.upper()}(?![\w/-])" if core.isalpha() else ""
    return rf"(?<!\w){_in_brackets(core)}|(?<![\w/.'-])(?:{last}{capital})"


def _in_brackets(core: str) -> str:
    return rf"[(\[] ?(?i:{re.escape(core)}) ?[)\]]"


def _as_word(core: str) -> str:
    return rf"(?i:{re.escape(core)})(?![\w/-])"
