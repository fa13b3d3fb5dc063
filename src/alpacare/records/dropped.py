"""A row that left the pipeline, with why and what proves it.

{"id": "3f0c...", "stage": "filtered", "reason": "rouge_l", "witness": "91bb...", "score": 0.83}
"""

from alpacare.core.jsonl import Row


class Dropped(Row):
    """`witness`: the row (or text) that shows the reason; `score`: how strongly, if measured."""

    id: str
    stage: str
    reason: str
    witness: str
    score: float | None = None
