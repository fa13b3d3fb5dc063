"""How judges spell a label: each mention becomes one symbol, so that sentences can be read."""

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

from alpacare.judging.verdicts.own_words import plain

# nouns that judges put for one another; "answer", "option" and "choice" name answers to quizzes too
_NOUNS = ("output", "response", "assistant", "model", "candidate", "completion")
# a lower-case "a" behind a noun may be an article, unless one of these follows
_NO_NOUN = r"(?!\s+(?!(?:is|was|wins|over|than|because|since|due|as|and|or|for|to|if|but)\b)\w)"
_LONGEST = 60  # letters of a reply that is nothing but a label
_AROUND = " \t\n.,:;!?*_#-\"'“”`"


@dataclass(frozen=True)
class Spelling:
    """How one judge's labels are found in text.

    The labels themselves are the symbols F, S and T; short forms, such as "A", are X, Y and Z.
    `marked` if labels stand in doubled brackets, so that nothing else can look like them.
    """

    mention: re.Pattern[str]
    marked: bool

    def symbols(self, text: str) -> str:
        """Write each mention as its symbol and everything else in lower case."""
        out, end = [], 0
        for match in self.mention.finditer(text):
            out += [text[end : match.start()].lower(), (match.lastgroup or "")[0]]
            end = match.end()
        return "".join([*out, text[end:].lower()])

    def only_label(self, text: str) -> str:
        """Give the symbol of a text that is nothing but one label, else ""."""
        text = text.strip()
        symbol = self.symbols(text).strip(_AROUND) if len(text) <= _LONGEST else ""
        return symbol if symbol in {*"FSTXYZ"} else ""


@lru_cache
def spelling_of(first: str, second: str, tie: str | None) -> Spelling:
    """Take the labels apart, "Output (a)" into a noun, brackets and "a", and find all spellings."""
    first, second, tie = (plain(label or "").strip() for label in (first, second, tie))
    before = re.sub(r"\w+\Z", "", _shared(first, second))
    after = re.sub(r"\A\w+", "", _shared(first[::-1], second[::-1])[::-1])
    marked = len(before) > 1 and not re.search(r"[\w\s]", before)
    alike = marked and tie.startswith(before) and tie.endswith(after)
    cores: list[str] = []
    spellings: dict[str, list[str]] = defaultdict(list)
    for symbol, short, label in (("F", "X", first), ("S", "Y", second), ("T", "Z", tie)):
        if label and (symbol != "T" or alike):
            core = label[len(before) : len(label) - len(after)]
            cores.append(core)
            if marked:
                spellings[symbol].append(_mark(before, core, after))
            spellings[short if marked else symbol].append(_named(before, core))
            spellings[symbol if len(core) > 1 and not marked else short].append(_short(core))
    words = {"tie", "draw"} if alike or not tie else {"tie", "draw", tie.lower()}
    word = "|".join(sorted(map(re.escape, words), reverse=True))
    spellings["Z" if marked else "T"].append(rf"(?<![\w-])(?i:{word})(?![\w-])")
    groups = (f"(?P<{name}>{'|'.join(each)})" for name, each in spellings.items())
    # nothing begins with another letter or in the midst of a word: most places fail at once
    heads = "".join(text[0] for text in (*words, *_NOUNS, *cores, "(", "[", first, second))
    gate = rf"(?:(?<!\w)|(?=\W))(?=[{re.escape(heads.lower() + heads.upper())}])"
    return Spelling(re.compile(f"{gate}(?:{'|'.join(groups)})"), marked)


def _shared(one: str, other: str) -> str:
    """Give what two texts begin with."""
    pairs = zip(one, other, strict=False)
    return "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _mark(before: str, core: str, after: str) -> str:
    return r"\s*".join([*map(re.escape, before), f"(?i:{re.escape(core)})", *map(re.escape, after)])


def _named(before: str, core: str) -> str:
    own = r"[ _-]?".join(map(re.escape, re.findall(r"\w+", before.lower())))
    nouns = "|".join(sorted({*_NOUNS, own} - {""}, key=len, reverse=True))
    return rf"(?<!\w)(?i:{nouns})[ \t_-]{{0,3}}(?:{_bracketed(core)}|{_standing(core)}{_NO_NOUN})"


def _short(core: str) -> str:
    """Match "(a)", a bare "A", and a bare "a" or "1" only where the sentence ends."""
    if len(core) > 1 and not core.isdigit():
        return rf"(?<![\w-])(?i:{re.escape(core)})(?![\w-])"
    last = rf"{_standing(core)}(?!\W*\w)"
    capital = rf"|{core.upper()}(?![\w/-])" if core.isalpha() else ""
    return rf"(?<!\w){_bracketed(core)}|(?<![\w/.'-])(?:{last}{capital})"


def _bracketed(core: str) -> str:
    return rf"[(\[] ?(?i:{re.escape(core)}) ?[)\]]"


def _standing(core: str) -> str:
    return rf"(?i:{re.escape(core)})(?![\w/-])"
