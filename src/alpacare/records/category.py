"""The group that a model sorted one instruction into."""

from typing import Literal

from alpacare.core.jsonl import Row

Group = Literal["information extraction", "text generation", "question answering", "other"]


class Category(Row):
    """The category that a model gave to one instruction.

    {"id": "3f0c...", "category": "text generation", "raw": "Text generation.", "request": "a8..."}

    `category` is null if the reply `raw` names none of the four, or more than one.
    """

    id: str
    category: Group | None
    raw: str
    request: str
