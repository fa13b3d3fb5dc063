"""Worker processes of one run, started by `accelerate launch`.

A worker writes what the user must know to SCRATCH/error.txt: the launcher shows only a traceback.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from alpacare.compute.determinism import SPIN_COUNT
from alpacare.core.errors import BadInput
from alpacare.core.file_lock import hold_lock
from alpacare.core.input_state import InputState, current_inputs
from alpacare.core.progress import end_start

ERROR_FILE = "error.txt"
_INPUTS = "inputs.json"
ACCELERATE = (sys.executable, "-m", "accelerate.commands.launch", "--quiet")


def run_workers(
    command: Sequence[str],
    environment: Mapping[str, str],
    scratch: Path,
    progress: Callable[[], str],
) -> None:
    """Run the workers to their end; `progress` says how far they came, and how to go on.

    Raises:
        BadInput: a worker failed; the line says why.
        KeyboardInterrupt: the run was stopped; the message says how to go on.
    """
    (scratch / ERROR_FILE).unlink(missing_ok=True)
    (scratch / _INPUTS).unlink(missing_ok=True)
    if state := current_inputs():
        state.save(scratch / _INPUTS)
    end_start()  # a worker says on its own that it starts, until it shows progress
    process = subprocess.Popen(
        command,
        env={"GOMP_SPINCOUNT": SPIN_COUNT, **os.environ, **environment},
        start_new_session=True,  # a Ctrl-C is for the stage, which passes it on to all workers
    )
    try:
        status = process.wait()
    except KeyboardInterrupt:
        with suppress(ProcessLookupError):  # it may have ended at this very moment
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        for lock in scratch.glob("worker-*.lock"):
            with hold_lock(lock, wait=True):  # the launcher dies at once, a worker saves
                pass
        raise KeyboardInterrupt(progress()) from None
    if (scratch / ERROR_FILE).exists():
        raise BadInput((scratch / ERROR_FILE).read_text())
    if status:
        raise BadInput(f"a worker process died with status {status}; {progress()}")


def check_worker_inputs(scratch: Path) -> None:
    """Check in a worker that what it has imported and read is what its stage began with.

    Raises:
        BadInput: code, settings or files have changed since.
    """
    if (scratch / _INPUTS).exists():
        InputState.load(scratch / _INPUTS).check()


def worker_lock(rank: int) -> str:
    """Name the file that a worker holds while it lives; it may outlive the stage."""
    return f"worker-{rank}.lock"


def first_line(error: BaseException) -> str:
    """Give the first line of a library's error; the others hold advice for programmers."""
    return str(error).strip().split("\n")[0]
