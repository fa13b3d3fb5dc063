"""Several machines that one job of Slurm starts (srun): which is this, and is the first one ready.

All see one scratch folder. The first prepares it, and starts its workers; the others start theirs
as soon as it is ready.
"""

import os
import time
from pathlib import Path

from alpacare.training.hardware import Hardware
from alpacare.training.run import TrainingRun, find_finished

_READY = "ready"


def machine_rank(hardware: Hardware) -> int:
    """Give this machine's number among those of its job; 0 for the first, and where there is one.

    Several machines that no job has started are told their numbers by hand.
    """
    return int(os.environ["SLURM_NODEID"]) if in_job(hardware) else 0


def in_job(hardware: Hardware) -> bool:
    """Whether Slurm has started this process on each of several machines, as job.sh does."""
    several = hardware.num_machines > 1
    return several and {"SLURM_NODEID", "MASTER_ADDR", "MASTER_PORT"} <= os.environ.keys()


def machine_options(hardware: Hardware) -> list[str]:
    """Give what accelerate must know of this machine's place in its job, over the file's values."""
    if not in_job(hardware):
        return []
    names = ("SLURM_NODEID", "MASTER_ADDR", "MASTER_PORT")
    rank, address, port = (os.environ[name] for name in names)
    place = ["--machine_rank", rank, "--main_process_ip", address]
    return [*place, "--main_process_port", port]


def announce(scratch: Path) -> None:
    """Tell the other machines that the scratch folder is ready for this start of the job."""
    fresh = scratch / f"{_READY}.new"
    fresh.write_text(_start())
    fresh.replace(scratch / _READY)


def wait_for_first(run: TrainingRun) -> bool:
    """Wait until the first machine is ready; if it fails, srun ends the others.

    False: it has nothing to train, as the result is there: a job that was done is started again.
    """
    ready = run.scratch / _READY
    while not find_finished(run.folder):
        if ready.exists() and ready.read_text() == _start():
            return True
        time.sleep(1)
    return False


def _start() -> str:
    """Name this start of the job: one that was requeued has the same number, and starts again."""
    names = ("SLURM_JOB_ID", "SLURM_RESTART_COUNT", "SLURM_STEP_ID")
    return "-".join(os.environ.get(name, "0") for name in names)
