"""One verdict of one judge on one pair of answers in one order.

{"id": "77d0...", "order": "model_first", "verdict": "model", "raw": "Output (a)",
 "request": ""}
"""

from typing import Literal

from alpacare.jsonl import Row

Order = Literal["model_first", "reference_first"]
Verdict = Literal["model", "reference", "tie"]


class Judgment(Row):
    """`verdict` is null when the judge's `raw` reply could not be read."""

    id: str
    order: Order
    verdict: Verdict | None
    raw: str
    request: str
