"""A judge that answers with a label: its labels, and the one that a reply decides for."""

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import model_validator

from alpacare.core.settings import Settings
from alpacare.judging.verdicts.marks import read_marks
from alpacare.judging.verdicts.reply_text import compact, normalise
from alpacare.judging.verdicts.spellings import Spellings, find_spellings
from alpacare.judging.verdicts.statements import SLOTS
from alpacare.judging.verdicts.words import read_words
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
        sides: tuple[tuple[Slot, str | list[str] | None], ...] = (
            ("first", self.first), ("second", self.second), ("tie", self.tie),
        )  # fmt: skip
        return {
            label: slot
            for slot, side in sides
            for label in ([side] if isinstance(side, str) else side or [])
        }

    def spellings(self) -> Spellings:
        """Give what the labels look like in replies."""
        return find_spellings(tuple(self.slots().items()))

    @model_validator(mode="after")
    def _fits(self) -> Self:
        given = [self.first, self.second, self.tie or []]
        labels = [label for side in given for label in ([side] if isinstance(side, str) else side)]
        if not all(any(letter.isalnum() for letter in label) for label in labels):
            raise ValueError(f"each label needs a letter or digit, found {labels}")
        if not all(any(letter.isalnum() for letter in normalise(label)) for label in labels):
            raise ValueError(f"a label that looks like markup cannot be read, found {labels}")
        if len({" ".join(label.split()).casefold() for label in labels}) < len(labels):
            raise ValueError(f"labels must differ, found {labels}")
        if not {"first", "second"} <= {*self.slots().values()}:
            raise ValueError("first and second need a label each")
        for label, slot in self.slots().items():
            replies = (label, f"Verdict: {label}", f"I compare them.\n\n{label}")
            if {read_label(reply, self) for reply in replies} != {slot}:
                raise ValueError(f"a reply of {label!r} could not be read: choose another label")
        return self


def read_label(
    reply: str, form: Labels, shown_texts: Sequence[str] = (), *, cut: bool = False
) -> Slot | None:
    """Read the label that a reply decides for; None if there is none, or a contradiction."""
    text, spellings = normalise(reply), form.spellings()
    if symbol := spellings.only_label(text):
        slot: Slot | None = SLOTS[symbol]
    else:
        marked = spellings.marks and {*"FST"} & {*spellings.symbols(text)}
        read = read_marks if marked else read_words
        slot = read(text, spellings, "\n".join(map(compact, shown_texts)), cut=cut)
    return None if slot == "tie" and form.tie is None else slot
