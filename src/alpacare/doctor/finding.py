"""What a check of `alpacare doctor` says: how bad, what, and what to do."""

from typing import Literal, NamedTuple


class Finding(NamedTuple):
    """One line."""

    level: Literal["ok", "warning", "wrong"]
    text: str


def ok(text: str) -> Finding:
    """Say that something is as it should be."""
    return Finding("ok", text)


def warning(text: str) -> Finding:
    """Say what may be in the way of somebody, and what to do."""
    return Finding("warning", text)


def wrong(text: str) -> Finding:
    """Say what will fail, and what to do."""
    return Finding("wrong", text)
