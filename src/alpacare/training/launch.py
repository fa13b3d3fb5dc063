"""Run a training job: in this process, or in workers that `accelerate launch` starts."""

import os
import shlex
from pathlib import Path

from alpacare.compute.workers import ACCELERATE, run_workers
from alpacare.training import worker
from alpacare.training.checkpoints import checkpoint_step, last_complete
from alpacare.training.hardware import Hardware
from alpacare.training.machines import machine_options
from alpacare.training.settings import CheckpointSettings


def other_machines_command(
    config: Path, hardware: Hardware, scratch: Path, settings: CheckpointSettings
) -> str:
    """Give the command that starts the workers on every other machine of the run."""
    command = ["accelerate", "launch", *_command(config, hardware, scratch, settings)[3:]]
    place = command.index("-m")
    return shlex.join([*command[:place], "--machine_rank", "RANK", *command[place:]])


def train_job(
    config: Path, hardware: Hardware, scratch: Path, settings: CheckpointSettings
) -> None:
    """Train to the end; on one CPU here, which saves the start of two more processes.

    Raises:
        BadInput: training failed; the line says why.
        KeyboardInterrupt: it was stopped; the message says how to go on.
    """

    def progress() -> str:
        last = last_complete(scratch)
        step = checkpoint_step(last) if last else 0
        return f"stopped: the same command goes on from step {step}"

    if hardware.use_cpu and hardware.num_processes == 1:
        if not worker.run_here(scratch):
            raise KeyboardInterrupt(progress())
        return
    # libraries announce future changes, which say nothing about this run
    environment = {"PYTHONWARNINGS": "ignore::FutureWarning"}
    if hardware.num_processes == 1 and not hardware.use_cpu:
        # else Trainer spreads over all visible GPUs with threads, which is slow
        seen = os.environ.get("CUDA_VISIBLE_DEVICES") or "0"
        environment["CUDA_VISIBLE_DEVICES"] = seen.split(",")[0]
    command = _command(config, hardware, scratch, settings)
    run_workers(command, environment, scratch, progress)


def _command(
    config: Path, hardware: Hardware, scratch: Path, settings: CheckpointSettings
) -> list[str]:
    options = ["--config_file", str(config)]
    options += machine_options(hardware)
    options += ["--num_cpu_threads_per_process", str(settings.threads)]
    if hardware.sharded and settings.gradient_checkpointing and not settings.lora:
        options += ["--fsdp_activation_checkpointing", "true"]
    return [*ACCELERATE, *options, "-m", worker.__name__, str(scratch)]
