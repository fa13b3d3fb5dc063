"""What a judge's labels look like in replies: each becomes one letter, so that patterns read it."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from alpacare.judging.verdicts.reply_text import normalise
from alpacare.records.judgment import Slot

SLOTS: dict[str, Slot] = {"F": "first", "S": "second", "T": "tie"}
_NOUNS = ("output", "response", "assistant", "model", "candidate", "completion")
_AROUND = " \t\n.,:;!?*_#-\"'“”`"


class LabelPattern(NamedTuple):
    """Labels in full, such as "Output (a)", and short: "A". A group's name begins with the symbol.

    `marks`: labels are in double brackets or the like, so that no other text looks like them.
    """

    full: re.Pattern[str]
    short: re.Pattern[str]
    marks: bool

    def symbols(self, text: str) -> str:
        """Write each label as F (first), S (second) or T (tie); all else becomes lower case."""
        out, end = "", 0
        for match in self.full.finditer(text):
            out += text[end : match.start()].lower() + (match.lastgroup or "")[0]
            end = match.end()
        return out + text[end:].lower()

    def whole(self, text: str) -> str:
        """Give the symbol of a text that is one label and nothing else, else ""."""
        label = text.strip(_AROUND)
        match = self.full.fullmatch(label) or self.short.fullmatch(label)
        return (match.lastgroup or "")[0] if match else ""


@lru_cache
def find_labels(labels: tuple[tuple[str, Slot], ...]) -> LabelPattern:
    """Split labels, such as "Output (a)" into a noun, brackets and "a", and match how they vary."""
    named = [(" ".join(normalise(label).split()), slot) for label, slot in labels]
    sides = [label for label, slot in named if slot != "tie"]
    before = re.sub(r"\w+\Z", "", _common(sides))
    after = re.sub(r"\A\w+", "", _common([label[::-1] for label in sides])[::-1])
    marks = len(before) > 1 and not re.search(r"[\w\s]", before)
    own = "[ _-]?".join(re.findall(r"\w+", before))
    noun = rf"(?<![^\W_])(?:{'|'.join(filter(None, [own, *_NOUNS]))})"
    full, short, cores = list[str](), list[str](), list[str]()
    for label, slot in [*named, ("tie", "tie"), ("draw", "tie")]:
        inside = label.startswith(before) and label.endswith(after)
        core = label[len(before) : len(label) - len(after)] if inside else label
        cores.append(core)
        bare = rf"(?<![^\W_])(?<![/.-])(?<!\w'){re.escape(core)}(?![^\W_]|[/-])"
        wrapped = rf"[(\[]{{1,2}} ?{re.escape(core)} ?[)\]]{{1,2}}"
        if marks:  # also "[[model A]]", and "[A]" or "[[A]" where a line ends
            start, middle, end = (r"\s*".join(map(re.escape, it)) for it in (before, core, after))
            ways = [rf"{start}\s*(?:{noun}\s*)?{middle}\s*{end}"]
            ways += [rf"(?m:(?:^|(?<=[:*\s])){wrapped}(?=[*.]*$))"]
            ways += [] if inside else [rf"(?m:^\**{bare}(?=[*.]*$))"]
        else:
            alone = rf"{re.escape(before)}(?-i:{bare}){re.escape(after)}(?![.)][ \t]+\w)"  # "A. It"
            ways = [rf"{noun}[ \t_-]{{0,3}}(?:{bare}|{wrapped})"]
            ways += [bare] if len(core) > 1 else [] if own else [alone]
        full.append(f"(?P<{slot[0].upper()}{len(full)}>{'|'.join(ways)})")
        short.append(f"(?P<{slot[0].upper()}{len(short)}>{bare}|{wrapped})")
    begins = _beginning([before, own, *_NOUNS, *cores])
    patterns = [f"{begins}(?:{'|'.join(full)})", "|".join(short)]
    found = [re.compile(each, re.IGNORECASE) for each in patterns]
    return LabelPattern(found[0], found[1], marks)


def _beginning(texts: Sequence[str]) -> str:
    """Look ahead for how a label can begin: the patterns of all of them cost ten times as much."""
    first = {text[0] for text in texts if text} | {*"([*"}
    letters, marks = ("".join(map(re.escape, sorted(each))) for each in (
        {it for it in first if it.isalnum()}, {it for it in first if not it.isalnum()}
    ))  # fmt: skip
    return rf"(?=[{marks}]|(?<![^\W_])[{letters}])"


def _common(texts: list[str]) -> str:
    """Give what all texts begin with."""
    match = re.fullmatch(r"(.*).*(?:\n\1.*)*", "\n".join(texts))
    return match[1] if match else ""
