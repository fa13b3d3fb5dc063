"""The checkpoints that a training run goes on from, in its scratch folder.

models/.scratch/FINGERPRINT/
    job.json, train.npz, validation.npz, tokenizer/     what the workers read
    checkpoint-200/ with a file `complete`               what training goes on from
    result/, history.json, speed.json                    what the stage takes away
    stage.lock, worker-0.lock, error.txt                 who is at work, and what went wrong
"""

import shutil
from pathlib import Path

from alpacare.core.files import sync

COMPLETE = "complete"


def seal(checkpoint: Path) -> None:
    """Mark a checkpoint as complete, once the disk holds all its bytes."""
    for file in checkpoint.rglob("*"):
        if file.is_file():
            sync(file)
    marker = checkpoint / COMPLETE
    marker.touch()
    sync(marker)


def keep_only(checkpoint: Path | None, scratch: Path) -> None:
    """Delete older and half-written checkpoints; each is as large as three times the model."""
    for folder in scratch.glob("checkpoint-*"):
        if folder != checkpoint:
            shutil.rmtree(folder, ignore_errors=True)


def last_complete(scratch: Path) -> Path | None:
    """Find the checkpoint to go on from."""
    found = {step(marker.parent): marker.parent for marker in scratch.glob(f"*/{COMPLETE}")}
    return found[max(found)] if found else None


def step(checkpoint: Path) -> int:
    """Give the step after which a checkpoint was saved."""
    return int(checkpoint.name.rpartition("-")[2])
