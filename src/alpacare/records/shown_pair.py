"""What a judge is shown: one pair of answers in one order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from alpacare.core import jsonl
from alpacare.core.files import write_json
from alpacare.core.texts import counted
from alpacare.records.generation import Generation
from alpacare.records.judgment import Judgment, Order, Slot, Verdict


@dataclass(frozen=True)
class ShownPair:
    """One pair in one order, as a judge sees it."""

    model: Generation
    reference: Generation
    order: Order

    def as_shown(self) -> tuple[str, str, str, str]:
        """Give instruction, input, the answer shown first and the one shown second."""
        first, second = self.model.output, self.reference.output
        if self.order == "reference_first":
            first, second = second, first
        return self.model.instruction, self.model.input, first, second

    def verdict(self, slot: Slot | None) -> Verdict | None:
        """Translate the winning slot to the winner; null stays null."""
        if slot is None or slot == "tie":
            return slot
        return "model" if (slot == "first") == (self.order == "model_first") else "reference"


def show_both_orders(pairs: Sequence[tuple[Generation, Generation]]) -> list[ShownPair]:
    """Show every pair in both orders, the model's answer first and then second."""
    return [ShownPair(*pair, order) for pair in pairs for order in get_args(Order)]


def make_judgments(
    pairs: Sequence[ShownPair], verdicts: Sequence[tuple[str, Slot | None]]
) -> list[Judgment]:
    """Make judgments from the reason and slot that a judge without an LLM gives for each pair."""
    return [
        Judgment(
            id=pair.model.id, order=pair.order, verdict=pair.verdict(slot), raw=raw, request=""
        )
        for pair, (raw, slot) in zip(pairs, verdicts, strict=True)
    ]


def save_judgments(
    folder: Path, comparison: str, judge: str, rows: Sequence[Judgment], run: Mapping[str, Any]
) -> str:
    """Write FOLDER/JUDGE.jsonl, and how it came about beside it; sum up in a line."""
    out = folder / f"{judge}.jsonl"
    jsonl.write(out, rows)
    write_json(out.with_suffix(".json"), {"judge": judge, **run})
    if why := run.get("left_out"):
        return f"{judge} on {comparison}: left out, {why}"
    notes = {
        "asked again": sum(row.tries > 1 for row in rows),
        "without a readable verdict": sum(row.verdict is None for row in rows),
        "replies cut off: raise max_tokens": run.get("finish_reasons", {}).get("length", 0),
    }
    won = sum(row.verdict == "model" for row in rows)
    line = f"{judge} on {comparison}: {counted(len(rows), 'judgment')}, {won} against the reference"
    return line + "".join(f", {count} {what}" for what, count in notes.items() if count)
