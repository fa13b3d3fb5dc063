"""The checkpoints that a stopped training run continues from, in its scratch folder.

models/checkpoint/STUDENT/.scratch/FINGERPRINT-VERSIONS/
    prepared/ with a file `sha256`                       tokenizer and sequences; also the stage's,
                                                         which prepares them once
    job.json                                             what else the workers read
    checkpoint-200/ with a file `complete`               what training continues from
    result/, history.json, speed.json                    what the stage collects
    finished/                                            what the stage writes, until it is moved
    stage.lock, worker-0.lock, error.txt, inputs.json    which processes run, what went wrong, and
                                                         what they are held to
"""

import shutil
from pathlib import Path

from alpacare.core.files import settle, sync

COMPLETE, FINISHED, LOCK = "complete", "finished", "stage.lock"


def mark_complete(checkpoint: Path) -> None:
    """Mark a checkpoint as complete, once the disk holds all its bytes."""
    settle(checkpoint)
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
