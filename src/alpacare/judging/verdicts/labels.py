"""A judge that answers with a label: its labels, and the one that a reply decides for."""

import json
import re
from collections.abc import Sequence
from typing import Literal, Self

from pydantic import model_validator

from alpacare.core.settings import Settings
from alpacare.judging.verdicts.decisions import decide
from alpacare.judging.verdicts.json_keys import by_plain_key
from alpacare.judging.verdicts.label_pattern import SLOTS, find_labels
from alpacare.judging.verdicts.reply_text import normalise
from alpacare.records.judgment import Slot


class Labels(Settings):
    """The labels that a judge replies with, such as "Output (a)", "Output (b)" and "Tie".

    A side may have several: the grades "[[A>>B]]" and "[[A>B]]". `tie` is null if it must choose.
    """

    form: Literal["labels"]
    first: str | list[str]
    second: str | list[str]
    tie: str | list[str] | None

    def slots(self) -> dict[str, Slot]:
        """Give what each label stands for, in the order of the settings."""
        return dict(self._pairs())

    def _pairs(self) -> list[tuple[str, Slot]]:
        sides: dict[Slot, str | list[str] | None]
        sides = {"first": self.first, "second": self.second, "tie": self.tie}
        listed = {slot: [side] if isinstance(side, str) else side for slot, side in sides.items()}
        return [(label, slot) for slot, labels in listed.items() for label in labels or []]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not (self.first and self.second):
            raise ValueError("first and second need a label each")
        for label, slot in self._pairs():
            read = {
                read_label(each, self) for each in (label, f"Verdict: {label}", f"Hm.\n{label}")
            }
            if read != {slot} or not re.search(r"\w", normalise(label)):
                raise ValueError(
                    f"{label!r} could not be read as {slot}: labels must differ, and look like no "
                    "markup"
                )
        return self


def read_label(
    reply: str, form: Labels, shown_texts: Sequence[str] = (), *, cut: bool = False
) -> Slot | None:
    """Read the label that a reply decides for; None if there is none, or in doubt."""
    labels = find_labels(tuple(form.slots().items()))
    slot = SLOTS.get(decide(reply, labels, shown_texts, cut=cut))
    return None if slot == "tie" and form.tie is None else slot


def read_json_label(reply: str, form: Labels) -> Slot | None:
    """Read a reply that is one JSON object with a label as its `verdict`; None if it is not."""
    try:
        text = reply.strip().removeprefix("```json").strip("` \n")
        value = json.loads(text, object_pairs_hook=by_plain_key)
    except (ValueError, RecursionError):
        return None
    verdict = value.get("verdict") if isinstance(value, dict) else None
    return form.slots().get(verdict) if isinstance(verdict, str) else None
