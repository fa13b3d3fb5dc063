"""A row that was dropped, with its reason and what proves it."""

from alpacare.core.jsonl import Row


class Dropped(Row):
    """A row that left the pipeline, with the drop reason and the matching row (witness).

    {"id": "3f0c...", "stage": "filtered", "reason": "rouge_l", "witness": "91bb...", "score": 0.83}

    `witness`: the row (or text) that proves the reason; `score`: the similarity, if measured.
    """

    id: str
    stage: str
    reason: str
    witness: str
    score: float | None = None
