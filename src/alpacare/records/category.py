"""The group that a model sorted one instruction into.

{"id": "3f0c...", "category": "text generation", "raw": "Text generation.", "request": "a81e..."}
"""

from typing import Literal

from alpacare.core.jsonl import Row

Group = Literal["information extraction", "text generation", "question answering", "other"]


class Category(Row):
    """`category` is null when the reply `raw` names none of the four, or more than one."""

    id: str
    category: Group | None
    raw: str
    request: str
