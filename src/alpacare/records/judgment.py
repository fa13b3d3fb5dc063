"""One verdict of one judge on one pair of answers in one order.

{"id": "77d0...", "order": "model_first", "verdict": "model", "raw": "Output (a)",
 "request": "9c41...", "sample": 0, "tries": 1, "ratings": {}}
"""

from typing import Annotated, Literal

from pydantic import Field

from alpacare.core.jsonl import Row

Order = Literal["model_first", "reference_first"]
Verdict = Literal["model", "reference", "tie"]
Slot = Literal["first", "second", "tie"]  # the verdict by the order in which answers were shown

Sides = Annotated[list[float], Field(min_length=2, max_length=2)]  # the student's, the reference's


class Judgment(Row):
    """`verdict` is null when none of the judge's `tries` replies could be read; `raw` is the last.

    `request` is the ledger key of that reply, "" for judges that are not LLMs. A judge may judge
    each pair several times (`sample`). `ratings`: by criterion, the student's and the reference's.
    """

    id: str
    order: Order
    verdict: Verdict | None
    raw: str
    request: str
    sample: int = Field(default=0, ge=0)
    tries: int = Field(default=1, ge=1)
    ratings: dict[str, Sides] = Field(default={})
