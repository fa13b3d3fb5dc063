"""The `longest` judge: it takes the answer with more characters, and reads neither.

A judge that agrees with it on nearly everything measures length.
"""

from alpacare.records.judgment import Slot
from alpacare.records.shown_pair import Case


def compare_lengths(case: Case, margin: int) -> tuple[str, Slot]:
    """Judge one pair in one order: what the judge says, and whom it takes."""
    _, _, first, second = case.shown()
    raw = f"longest (a) {len(first)}, (b) {len(second)} characters"
    if abs(len(first) - len(second)) <= margin:
        return raw, "tie"
    return raw, "first" if len(first) > len(second) else "second"
