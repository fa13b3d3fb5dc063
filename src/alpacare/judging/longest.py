"""The `longest` judge: it prefers the answer with more characters, and reads neither.

A judge that agrees with it on nearly all items measures length.
"""

from alpacare.records.judgment import Slot
from alpacare.records.shown_pair import ShownPair


def judge_by_length(pair: ShownPair, margin: int) -> tuple[str, Slot]:
    """Judge one pair in one order: give the reason and the winning slot."""
    _, _, first, second = pair.as_shown()
    raw = f"longest (a) {len(first)}, (b) {len(second)} characters"
    if abs(len(first) - len(second)) <= margin:
        return raw, "tie"
    return raw, "first" if len(first) > len(second) else "second"
