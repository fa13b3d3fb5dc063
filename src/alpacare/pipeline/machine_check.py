"""Whether this machine can do what would run: training, and a server that answers."""

from collections.abc import Collection
from pathlib import Path

from alpacare.core.errors import BadInput
from alpacare.pipeline.changes import may_run
from alpacare.pipeline.dvc_yaml import dependencies
from alpacare.pipeline.params import Params
from alpacare.pipeline.sources import buy_targets
from alpacare.training.hardware import Hardware, check_machine, read_hardware
from alpacare.training.memory_check import check_memory_and_disk
from alpacare.training.settings import CheckpointSettings


def check_this_machine(params: Params, stages: Collection[str]) -> None:
    """Check what `stages` need of this machine, as far as they would run.

    Raises:
        BadInput: it is not here; the message says what is.
    """
    if "checkpoint" in stages and (obstacle := training_obstacle(params)):
        raise BadInput(f"{obstacle}{_hint(params)}")
    if "server_generations" in stages:
        for name in params.generations.servers:  # free, so that it is asked without BUDGET too
            _check_server_key(params, name)


def _hint(params: Params) -> str:
    if params.endpoints[params.responses.endpoint].offline:
        return ""
    try:
        buy_targets(params)
    except BadInput:  # `make buy` would refuse
        return ""
    return "; `make buy` buys the answers that need no training"


def training_obstacle(params: Params) -> str:
    """Say why training cannot run on this machine; "" if it can, or would not run.

    Raises:
        BadInput: the hardware's file cannot be read.
    """
    (path,) = dependencies("checkpoint", "configs/")
    hardware = read_hardware(path)
    try:
        _check_training(params.checkpoint, hardware)
    except BadInput as error:
        return str(error) if may_run(["checkpoint"]) else ""
    return ""


def _check_server_key(params: Params, name: str) -> None:
    try:
        params.endpoints[name].read_key()
    except BadInput:
        if may_run(["server_generations"]):
            raise


def _check_training(settings: CheckpointSettings, hardware: Hardware) -> None:
    """Look at the machine, and whether the least batch would fit: more is known with the data."""
    check_machine(settings, hardware)
    least = settings.micro_batch_size or 1, settings.max_seq_length
    if not settings.packing:
        least = 1, 1
    check_memory_and_disk(settings, hardware, least, False, Path("models"))
