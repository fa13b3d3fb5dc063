"""Starting the workers of a training run with `accelerate launch`, and hearing how it went."""

import os
import subprocess
import sys
from pathlib import Path

from alpacare.errors import BadInput
from alpacare.training import worker
from alpacare.training.scratch import last_complete


def launch(hardware: Path, scratch: Path, threads: int) -> None:
    """Run the workers to their end.

    Raises:
        BadInput: training failed; the line says why.
        KeyboardInterrupt: it was stopped; the message says how to go on.
    """
    (scratch / worker.ERROR).unlink(missing_ok=True)
    accelerate = [sys.executable, "-m", "accelerate.commands.launch", "--quiet"]
    settings = ["--config_file", str(hardware), "--num_cpu_threads_per_process", str(threads)]
    command = [*accelerate, *settings, "-m", worker.__name__, str(scratch)]
    # what libraries will do one day is not for the one who trains today
    process = subprocess.Popen(command, env={**os.environ, "PYTHONWARNINGS": "ignore::FutureWarning"})
    try:
        status = process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise KeyboardInterrupt(_where(scratch)) from None
    if (scratch / worker.ERROR).exists():
        raise BadInput((scratch / worker.ERROR).read_text())
    if status:
        raise BadInput(f"a training process died with status {status}; {_where(scratch)}")


def _where(scratch: Path) -> str:
    last = last_complete(scratch)
    step = last.name.rpartition("-")[2] if last else "0"
    return f"stopped: the same command goes on from step {step}"
