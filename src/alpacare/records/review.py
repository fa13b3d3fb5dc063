"""One person's verdict on one pair of answers: a row of data/reviews/NAME.jsonl, kept in Git.

{"id": "77d0...", "test": "demo", "reference": "terse", "reviewer": "reviewer-1",
 "criterion": "correctness", "verdict": "model", "comment": "", "generation": "5f70...",
 "reference_answer": "81ab..."}
"""

import hashlib
from typing import Annotated

from pydantic import Field, StringConstraints

from alpacare.core.jsonl import Row
from alpacare.records.judgment import Verdict
from alpacare.records.task import Text

# Names are printed in tables: no control characters and no marks that change text direction.
_SHOWN = r"[^\p{Cc}\p{Cf}]"
Name = Annotated[str, StringConstraints(pattern=rf"^{_SHOWN}*[^\p{{Cc}}\p{{Cf}}\s]{_SHOWN}*$")]
Criterion = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Review(Row):
    """`id`, `test` and `reference` name the pair, `criterion` the question that was answered.

    `generation` and `reference_answer`: the `answer_hash` of the answers that the person saw, so
    that no verdict counts for an answer that has changed since; null if not known.
    """

    id: Text
    test: Text
    reference: Text
    reviewer: Name
    criterion: Criterion
    verdict: Verdict
    comment: str = ""
    generation: Sha256 | None = Field(default=None)
    reference_answer: Sha256 | None = Field(default=None)


def answer_hash(text: str) -> str:
    """Give the SHA-256 of an answer's text as 64 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()
