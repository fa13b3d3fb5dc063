"""One verdict of one judge on one pair of answers in one order.

{"id": "77d0...", "order": "model_first", "verdict": "model", "raw": "Output (a)",
 "request": "9c41...", "sample": 0, "tries": 1, "ratings": {}}
"""

from typing import Literal

from pydantic import Field

from alpacare.jsonl import Row

Order = Literal["model_first", "reference_first"]
Verdict = Literal["model", "reference", "tie"]


class Judgment(Row):
    """`verdict` is null when none of the judge's `tries` replies could be read; `raw` is the last.

    `request` is the ledger key of that reply, "" for judges that are not asked. A judge may give
    several samples of its opinion. `ratings`: by criterion, what student and reference got, in
    this order.
    """

    id: str
    order: Order
    verdict: Verdict | None
    raw: str
    request: str
    sample: int = Field(default=0, ge=0)
    tries: int = Field(default=1, ge=1)
    ratings: dict[str, list[float]] = Field(default={})
