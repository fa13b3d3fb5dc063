"""AlpaCare's own scoring of its judge's replies, so that numbers can be put beside the paper's.

The rule drops all but letters and digits and reads exact spellings only; any reply with the letters
"Tie" in it is a tie; an item is void when either reply cannot be read. Its faults that depend on
model names (a name that holds "Tie", two names that differ by punctuation) are not reproduced.
"""

import re
from collections.abc import Sequence
from typing import Literal

from alpacare.records.judgment import Judgment

FIRST, SECOND = "Output (a)", "Output (b)"
_NOT_BARE = re.compile(r"[^a-zA-Z0-9\1\2]")


def published_verdict(raw: str) -> Literal["first", "second", "tie"] | None:
    """Read a reply as AlpaCare's script does."""
    bare = _NOT_BARE.sub("", raw.replace(FIRST, "\1").replace(SECOND, "\2"))
    if "Tie" in bare:
        return "tie"
    return "first" if bare == "\1" else "second" if bare == "\2" else None


def read_again(judgments: Sequence[Judgment]) -> list[Judgment]:
    """Give the first sample of each judgment with the verdict that AlpaCare's script reads."""
    return [_read_again(judgment) for judgment in judgments if judgment.sample == 0]


def _read_again(judgment: Judgment) -> Judgment:
    slot = published_verdict(judgment.raw)
    if slot is None or slot == "tie":
        return judgment.model_copy(update={"verdict": slot})
    of_model = (slot == "first") == (judgment.order == "model_first")
    return judgment.model_copy(update={"verdict": "model" if of_model else "reference"})
