"""Where a run that was stopped goes on: a folder named by everything that shapes the weights.

models/.scratch/FINGERPRINT/
    job.json, train.npz, validation.npz, tokenizer/     what the workers read
    checkpoint-200/ with a file `complete`               what training goes on from
    result/, history.json, speed.json                    what the stage takes away
    stage.lock, worker.lock, error.txt                   who is at work, and what went wrong
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alpacare.errors import BadInput

COMPLETE = "complete"


@contextmanager
def alone(lock: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold a file for this process; with `wait`, as soon as nobody else does.

    Raises:
        BadInput: another process holds it; the line names it.
    """
    with lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            file.seek(0)
            raise BadInput(
                f"{lock.parent}: this very run is under way in process {file.read() or '?'}; wait "
                "for its end, or stop it with `kill`"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def others(scratch: Path) -> list[Path]:
    """Give the folders of runs with other settings, which wait to be gone on with or deleted."""
    return sorted(folder for folder in scratch.parent.glob("*") if folder != scratch)


def fingerprint(parts: Mapping[str, Any]) -> str:
    """Name a run: 16 hex digits of SHA-256 over all that shapes its weights."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def hash_files(*paths: Path) -> str:
    """SHA-256 over files' names and bytes, and those in folders."""
    digest = hashlib.sha256()
    for path in paths:
        for file in [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file()):
            name = file.name if path.is_file() else file.relative_to(path).as_posix()
            digest.update(f"{name}:{file.stat().st_size}:".encode())
            with file.open("rb") as opened:
                while block := opened.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()


def seal(checkpoint: Path) -> None:
    """Mark a checkpoint as complete, once the disk holds all its bytes."""
    for file in checkpoint.rglob("*"):
        if file.is_file():
            _sync(file)
    marker = checkpoint / COMPLETE
    marker.touch()
    _sync(marker)


def keep_only(checkpoint: Path | None, scratch: Path) -> None:
    """Delete older and half-written checkpoints; each is as large as three times the model."""
    for folder in scratch.glob("checkpoint-*"):
        if folder != checkpoint:
            shutil.rmtree(folder, ignore_errors=True)


def _sync(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def last_complete(scratch: Path) -> Path | None:
    """Find the checkpoint to go on from."""
    found = {step(marker.parent): marker.parent for marker in scratch.glob(f"*/{COMPLETE}")}
    return found[max(found)] if found else None


def step(checkpoint: Path) -> int:
    """Give the step after which a checkpoint was saved."""
    return int(checkpoint.name.rpartition("-")[2])
