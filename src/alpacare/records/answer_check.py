"""What a verifier says of one answer, or of a copy of it with a planted error."""

from typing import Literal

from alpacare.core.jsonl import Row

Finding = Literal["right", "wrong"]


class PlantedError(Row):
    """An error that a rule put into a copy of an answer: `was` became `now`."""

    kind: str
    was: str
    now: str


class AnswerCheck(Row):
    """A verifier's finding on the answer with this id, or on a copy of it with a planted error.

    {"id": "3f0c...", "planted": {"kind": "dose", "was": "5 mg", "now": "50 mg"},
     "finding": "wrong", "error": "The usual dose is 5 mg.", "raw": "...", "request": "a81e..."}

    `planted` is null for the answer itself, `finding` if the reply `raw` cannot be read. `error`:
    what the verifier says is wrong.
    """

    id: str
    planted: PlantedError | None
    finding: Finding | None
    error: str
    raw: str
    request: str
