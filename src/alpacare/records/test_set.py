"""Held-out test sets: tasks with the answers that other models or people gave."""

from pathlib import Path

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.records.task import TestTask


def read_test_set(path: Path) -> list[TestTask]:
    """Read a test set.

    Raises:
        BadInput: no rows, a bad row, or two rows with one id.
    """
    tests = jsonl.read(path, TestTask, unique="id")
    if not tests:
        raise BadInput(f"{path}: no test tasks")
    return tests
