"""The checkpoints that a stopped training run continues from, in its scratch folder.

models/.scratch/FINGERPRINT/
    job.json, train.npz, validation.npz, tokenizer/     what the workers read
    checkpoint-200/ with a file `complete`               what training continues from
    result/, history.json, speed.json                    what the stage collects
    stage.lock, worker-0.lock, error.txt                 which processes run, and what went wrong
"""

import shutil
from pathlib import Path

from alpacare.core.files import sync

COMPLETE = "complete"


def mark_complete(checkpoint: Path) -> None:
    """Mark a checkpoint as complete, once the disk holds all its bytes."""
    for file in checkpoint.rglob("*"):
        if file.is_file():
            sync(file)
    marker = checkpoint / COMPLETE
    marker.touch()
    sync(marker)


def delete_others(checkpoint: Path | None, scratch: Path) -> None:
    """Delete older and half-written checkpoints; each is three times as large as the model."""
    for folder in scratch.glob("checkpoint-*"):
        if folder != checkpoint:
            shutil.rmtree(folder, ignore_errors=True)


def last_complete(scratch: Path) -> Path | None:
    """Find the checkpoint to continue from."""
    found = (marker.parent for marker in scratch.glob(f"*/{COMPLETE}"))
    return max(found, key=checkpoint_step, default=None)


def checkpoint_step(checkpoint: Path) -> int:
    """Give the step after which a checkpoint was saved."""
    return int(checkpoint.name.rpartition("-")[2])
