"""The `overlap` judge: a smoke detector that compares words and needs no model.

It prefers the answer nearer, by mean ROUGE-L F, to the item's other written answers. It tells
gibberish from English; it knows nothing of medicine.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from alpacare.core.errors import BadInput
from alpacare.filtering.rouge import encode, scores
from alpacare.records.judgment import Slot
from alpacare.records.shown_pair import Case
from alpacare.records.task import TestTask


def compare_all(
    cases: Sequence[Case], tests: Mapping[str, TestTask], margin: float, path: Path
) -> Iterator[tuple[str, Slot]]:
    """Judge every case by the written answers in the test set at `path`.

    Raises:
        BadInput: a task is not in the test set, or has no written answer but the one judged.
    """
    for case in cases:
        id = case.model.id
        if id not in tests:
            raise BadInput(f"{path}: no task {id}")
        judged = {case.model.generator, case.reference.generator}
        written = [text for name, text in tests[id].answers.items() if name not in judged]
        if not written:
            raise BadInput(f"{path}: task {id} has no written answer but the one judged")
        yield compare(case, written, margin)


def compare(case: Case, written: Sequence[str], margin: float) -> tuple[str, Slot]:
    """Judge one pair: what the judge says, and whom it takes.

    `written` are the item's answers by others than the two being judged; at least one.
    """
    _, _, first, second = case.shown()
    encoded = encode([first, second, *written])
    a, b = (float(mean) for mean in scores(encoded[:2], encoded[2:]).mean(axis=1))
    raw = f"overlap (a) {a:.4f}, (b) {b:.4f}"
    if abs(a - b) <= margin:
        return raw, "tie"
    return raw, "first" if a > b else "second"
