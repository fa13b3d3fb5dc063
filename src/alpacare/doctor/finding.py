"""The result of a check of `alpacare doctor`: its level, the fact, and what to do."""

from functools import partial
from typing import Literal, NamedTuple


class Finding(NamedTuple):
    """One line of the result."""

    level: Literal["ok", "warning", "wrong"]
    text: str


ok = partial(Finding, "ok")
warning = partial(Finding, "warning")  # what may cause problems, and what to do
wrong = partial(Finding, "wrong")  # what will fail, and what to do
