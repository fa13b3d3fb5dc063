"""The `overlap` judge: a sanity check that compares words and needs no model.

It prefers the answer with the higher mean ROUGE-L F to the item's other written answers. It
distinguishes gibberish from English; it knows nothing of medicine. Where a task has no written
answer but those judged, as where one person answered a test set, it leaves the comparison out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from alpacare.core.errors import BadInput
from alpacare.filtering.rouge import encode, scores
from alpacare.records.judgment import Slot
from alpacare.records.shown_pair import ShownPair
from alpacare.records.task import TestTask


def has_others(judged: set[str], tasks: Iterable[TestTask]) -> bool:
    """Whether every task has a written answer by another than the models judged."""
    return all(task.answers.keys() - judged for task in tasks)


def judge_by_overlap(
    pairs: Sequence[ShownPair], tests: Mapping[str, TestTask], margin: float, path: Path
) -> Iterator[tuple[str, Slot]]:
    """Judge every pair by the written answers in the test set at `path`: a reason and a slot each.

    Raises:
        BadInput: a task is not in the test set.
    """
    for pair in pairs:
        id = pair.model.id
        if id not in tests:
            raise BadInput(f"{path}: no task {id}")
        judged = {pair.model.generator, pair.reference.generator}
        written = [text for name, text in tests[id].answers.items() if name not in judged]
        encoded = encode([*pair.as_shown()[2:], *written])
        a, b = (float(mean) for mean in scores(encoded[:2], encoded[2:]).mean(axis=1))
        slot: Slot = "tie" if abs(a - b) <= margin else "first" if a > b else "second"
        yield f"overlap (a) {a:.4f}, (b) {b:.4f}", slot
