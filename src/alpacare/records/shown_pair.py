"""What a judge is shown: one pair of answers in one order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from alpacare.records.generation import Generation
from alpacare.records.judgment import Order, Slot, Verdict


@dataclass(frozen=True)
class Case:
    """One pair in one order, as a judge sees it."""

    model: Generation
    reference: Generation
    order: Order

    def shown(self) -> tuple[str, str, str, str]:
        """Give instruction, input, the answer shown first and the one shown second."""
        first, second = self.model.output, self.reference.output
        if self.order == "reference_first":
            first, second = second, first
        return self.model.instruction, self.model.input, first, second

    def verdict(self, slot: Slot | None) -> Verdict | None:
        """Say who won when this slot did; null stays null."""
        if slot is None or slot == "tie":
            return slot
        return "model" if (slot == "first") == (self.order == "model_first") else "reference"


def make_cases(pairs: Sequence[tuple[Generation, Generation]]) -> list[Case]:
    """Show every pair in both orders, the student's answer first and then second."""
    return [Case(*pair, order) for pair in pairs for order in get_args(Order)]
