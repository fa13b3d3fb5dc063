"""What nearly all rows of a file share: a lead, a tail, instructions that come again and again.

Public medical files often give every row one instruction, or wrap every question in one template.
Such text says nothing about whether two rows are alike, so it is left out before they are compared.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from os.path import commonprefix

from alpacare.filtering.tokens import UNSPACED, unicode

SAMPLE = 20_000  # rows looked at, evenly spread over a file

_NEARLY_ALL = 0.9  # of the rows
_FEWEST_TOKENS = 4  # of a lead or a tail: a shared "What is" is no template
_FEWEST_ROWS = 3  # that can share anything
_OFTEN = 0.01  # of the rows: an instruction that so many have comes again and again
_CUT_WORD = re.compile(rf"[^\W{UNSPACED}]+\Z")


@dataclass(frozen=True)
class Ends:
    """The lead and the tail that nearly all texts share; "" where they share none."""

    lead: str = ""
    tail: str = ""

    def strip(self, text: str) -> str:
        """Give a text without them."""
        return text.strip().removeprefix(self.lead).removesuffix(self.tail).strip()


@dataclass(frozen=True)
class SharedText:
    """What the rows of one file share.

    `repeated` holds the instructions, without their ends, that come again and again with inputs;
    `constant` says whether nearly all rows have one of these, always the same.
    """

    instruction: Ends = Ends()
    input: Ends = Ends()
    repeated: frozenset[str] = frozenset()
    constant: bool = False

    def own(self, instruction: str, input: str) -> tuple[str, str]:
        """Give what is a row's own of its instruction ("" if it is repeated) and of its input."""
        own = self.instruction.strip(instruction)
        material = self.input.strip(input)
        return ("" if own in self.repeated and material else own), material


def shared_text(rows: Sequence[tuple[str, str]]) -> SharedText:
    """Find what rows of (instruction, input) share."""
    instruction = shared_ends([row[0] for row in rows])
    input = shared_ends([row[1] for row in rows])
    counts = Counter(instruction.strip(row[0]) for row in rows if input.strip(row[1]))
    fewest = max(_FEWEST_ROWS, ceil(_OFTEN * len(rows)))
    repeated = frozenset(text for text, count in counts.items() if count >= fewest)
    constant = max(counts.values(), default=0) >= _NEARLY_ALL * len(rows)
    return SharedText(instruction, input, repeated, constant)


def shared_ends(texts: Iterable[str]) -> Ends:
    """Find the lead and the tail of at least four words that nearly all texts share."""
    filled = [text.strip() for text in texts if text.strip()]
    lead = _shared_lead(filled)
    reversed_ = [text.removeprefix(lead)[::-1] for text in filled]
    return Ends(lead, _shared_lead(reversed_)[::-1])


def _shared_lead(texts: list[str]) -> str:
    """Find the longest beginning that nearly all texts share, in whole words.

    In sorted order the texts that share it are neighbours.
    """
    needed = max(_FEWEST_ROWS, ceil(_NEARLY_ALL * len(texts)))
    ordered = sorted(texts)
    pairs = zip(ordered, ordered[needed - 1 :], strict=False)
    lead = max((commonprefix(pair) for pair in pairs), key=len, default="")  # noqa: RUF071
    after = (text[len(lead) : len(lead) + 1] for text in texts if text.startswith(lead))
    if any(map(str.isalnum, after)):
        lead = _CUT_WORD.sub("", lead)
    return lead if len(unicode(lead)) >= _FEWEST_TOKENS else ""


def evenly_spread(size: int) -> range:
    """Give the positions of at most `SAMPLE` of `size` rows."""
    return range(0, size, max(1, ceil(size / SAMPLE)))
