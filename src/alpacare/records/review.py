"""One opinion of one person on one pair of answers: a row of data/reviews/NAME.jsonl, kept in Git.

{"id": "77d0...", "test": "demo", "reference": "terse", "reviewer": "reviewer-1",
 "criterion": "correctness", "verdict": "model", "comment": "", "generation": "5f70..."}
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints

from alpacare import jsonl
from alpacare.errors import BadInput
from alpacare.jsonl import Row
from alpacare.records.judgment import Verdict
from alpacare.records.task import Text

# Printed in tables: any script, but nothing that moves a terminal's cursor or turns a line around.
_SHOWN = r"[^\p{Cc}\p{Cf}]"
Name = Annotated[str, StringConstraints(pattern=rf"^{_SHOWN}*[^\p{{Cc}}\p{{Cf}}\s]{_SHOWN}*$")]
Criterion = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Review(Row):
    """`id`, `test` and `reference` say what was compared, `criterion` in which regard.

    `generation`: the `answer_hash` of the student's answer that was seen, so that nobody's opinion
    is taken for one on an answer that has changed since; null where it is not known.
    """

    id: Text
    test: Text
    reference: Text
    reviewer: Name
    criterion: Criterion
    verdict: Verdict
    comment: str = ""
    generation: Sha256 | None = Field(default=None)


def answer_hash(text: str) -> str:
    """Name an answer by its text: 64 hex digits of SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_reviews(paths: Iterable[Path]) -> list[Review]:
    """Read files of reviews; one reviewer says one thing of each comparison and criterion.

    Raises:
        BadInput: an unreadable row, or a reviewer who says something twice.
    """
    reviews, places = [], dict[tuple[str, ...], str]()
    for path in paths:
        for number, value in jsonl.read_objects(path):
            place = f"{path}:{number}"
            review = jsonl.validate(Review, value, place)
            what = (review.id, review.test, review.reference, review.reviewer, review.criterion)
            if places.setdefault(what, place) != place:
                raise BadInput(
                    f"{place}: {review.reviewer} has already reviewed task {review.id} against "
                    f"{review.reference} for {review.criterion}, in {places[what]}; "
                    "keep one of them"
                )
            reviews.append(review)
    return reviews
