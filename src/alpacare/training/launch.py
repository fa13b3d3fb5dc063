"""Starting the workers of a training run with `accelerate launch`, and hearing how it went."""

import os
import shlex
from pathlib import Path

from alpacare.compute.workers import ACCELERATE, run_workers
from alpacare.training import worker
from alpacare.training.checkpoints import last_complete, step
from alpacare.training.hardware import Hardware
from alpacare.training.settings import CheckpointSettings


def tell_the_others(
    config: Path, hardware: Hardware, scratch: Path, settings: CheckpointSettings
) -> str:
    """Give the command that every other machine of a run on several has to be given."""
    command = ["accelerate", "launch", *_command(config, hardware, scratch, settings)[3:]]
    place = command.index("-m")
    return shlex.join([*command[:place], "--machine_rank", "RANK", *command[place:]])


def launch(config: Path, hardware: Hardware, scratch: Path, settings: CheckpointSettings) -> None:
    """Run the workers to their end.

    Raises:
        BadInput: training failed; the line says why.
        KeyboardInterrupt: it was stopped; the message says how to go on.
    """
    command = _command(config, hardware, scratch, settings)
    run_workers(command, _environment(hardware), scratch, lambda: _where(scratch))


def _command(
    config: Path, hardware: Hardware, scratch: Path, settings: CheckpointSettings
) -> list[str]:
    options = ["--config_file", str(config)]
    options += ["--num_cpu_threads_per_process", str(settings.threads)]
    if hardware.sharded and settings.gradient_checkpointing and not settings.lora:
        options += ["--fsdp_activation_checkpointing", "true"]
    return [*ACCELERATE, *options, "-m", worker.__name__, str(scratch)]


def _environment(hardware: Hardware) -> dict[str, str]:
    # what libraries will do one day is not for the one who trains today
    environment = {"PYTHONWARNINGS": "ignore::FutureWarning"}
    if hardware.num_processes == 1 and not hardware.use_cpu:
        # Trainer would spread over all the GPUs that it sees, by threads, and slowly
        seen = os.environ.get("CUDA_VISIBLE_DEVICES") or "0"
        environment["CUDA_VISIBLE_DEVICES"] = seen.split(",")[0]
    return environment


def _where(scratch: Path) -> str:
    last = last_complete(scratch)
    return f"stopped: the same command goes on from step {step(last) if last else 0}"
