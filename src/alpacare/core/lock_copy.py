"""A copy of dvc.lock, which a kill can leave cut off: DVC writes it in place.

When a stage starts, DVC has written what the stage before it made: each stage keeps a copy first.
pipeline/repair.py restores it.
"""

from pathlib import Path

from alpacare.core.files import atomic_file, read_text

LOCK = Path("dvc.lock")
COPY = Path(".dvc/tmp/dvc.lock.copy")


def keep_lock_copy() -> None:
    """Copy dvc.lock; for when nothing writes it: before DVC runs, and while a stage runs."""
    if LOCK.exists() and Path(".dvc").is_dir():
        with atomic_file(COPY) as file:
            file.write(read_text(LOCK))
