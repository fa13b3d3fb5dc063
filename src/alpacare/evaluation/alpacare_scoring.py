"""AlpaCare's own scoring of its judge's replies, for figures that compare with the paper's.

The rule drops all but letters and digits and reads exact spellings only; any reply with the letters
"Tie" is a tie; an item does not count when either reply cannot be read. Faults that depend on model
names (a name that contains "Tie", two names that differ by punctuation) are not reproduced.
"""

import re
from collections.abc import Sequence
from typing import Literal

from alpacare.records.judgment import Judgment

FIRST, SECOND = "Output (a)", "Output (b)"
_NOT_ALPHANUMERIC = re.compile(r"[^a-zA-Z0-9\1\2]")


def published_verdict(raw: str) -> Literal["first", "second", "tie"] | None:
    """Read a reply as AlpaCare's script does."""
    letters = _NOT_ALPHANUMERIC.sub("", raw.replace(FIRST, "\1").replace(SECOND, "\2"))
    if "Tie" in letters:
        return "tie"
    return "first" if letters == "\1" else "second" if letters == "\2" else None


def published_judgments(judgments: Sequence[Judgment]) -> list[Judgment]:
    """Give the first sample of each judgment with the verdict that AlpaCare's script reads."""
    return [_with_published_verdict(judgment) for judgment in judgments if judgment.sample == 0]


def _with_published_verdict(judgment: Judgment) -> Judgment:
    slot = published_verdict(judgment.raw)
    if slot is None or slot == "tie":
        return judgment.model_copy(update={"verdict": slot})
    of_model = (slot == "first") == (judgment.order == "model_first")
    return judgment.model_copy(update={"verdict": "model" if of_model else "reference"})
