"""Student and reference on the same tasks, joined by id."""

from pathlib import Path

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.records.generation import Generation


def pair_up(generations: Path, reference: Path) -> list[tuple[Generation, Generation]]:
    """Join two files of answers by id, in the order of the first.

    No pairs with a reference that has not answered this test set.

    Raises:
        BadInput: an id that only one of the files has, or no answers by the student.
    """
    ours = jsonl.read(generations, Generation, unique="id")
    theirs = {row.id: row for row in jsonl.read(reference, Generation, unique="id")}
    if not ours:
        raise BadInput(f"{generations}: no answers to judge")
    if not theirs:
        return []
    for row in ours:
        if row.id not in theirs:
            raise BadInput(f"{reference}: no answer to task {row.id}, which {generations} has")
    for id in sorted(theirs.keys() - {row.id for row in ours}):
        raise BadInput(f"{generations}: no answer to task {id}, which {reference} has")
    return [(row, theirs[row.id]) for row in ours]
