"""Whether this machine can do what would run: training, and a server that answers."""

from collections.abc import Collection
from pathlib import Path

from alpacare.compute.pinned_model import RANDOM, PinnedModel
from alpacare.core.errors import BadInput
from alpacare.pipeline.changes import may_run, which_may_run
from alpacare.pipeline.dvc_yaml import command_option, group
from alpacare.pipeline.params import Params, Run
from alpacare.pipeline.sources import buy_targets, cell
from alpacare.pipeline.students import read_students
from alpacare.training.hardware import Hardware, check_machine, read_hardware
from alpacare.training.memory_check import check_memory_and_disk
from alpacare.training.settings import CheckpointSettings


def check_this_machine(params: Params, cells: Collection[str]) -> None:
    """Check what `cells` need of this machine, as far as they would run.

    Raises:
        BadInput: it is not here; the message says what is.
    """
    runs = [run for run in params.runs() if cell("checkpoint", run) in cells]
    if obstacle := training_obstacle(params, runs):
        raise BadInput(f"{obstacle}{_hint(params)}")
    if "server_generations" in map(group, cells):
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


def training_obstacle(params: Params, runs: Collection[Run]) -> str:
    """Say why one of these students cannot train here; "" if all can, or would not run.

    Raises:
        BadInput: a student's file, or the hardware's, cannot be read.
    """
    names = dict.fromkeys(run.student for run in runs)
    if not names:
        return ""
    folder = command_option("checkpoint", "--hardware")
    hardware = read_hardware(folder / f"{params.training.hardware}.yaml")
    obstacles = {}
    for name, settings in read_students(params, names).items():
        try:
            _check_training(params, settings, hardware)
        except BadInput as error:
            obstacles[name] = f"student '{name}': {error}"
    hindered = {cell("checkpoint", run): run.student for run in runs if run.student in obstacles}
    running = which_may_run(hindered) if hindered else set()
    return next((obstacles[who] for address, who in hindered.items() if address in running), "")


def _check_server_key(params: Params, name: str) -> None:
    try:
        params.endpoints[name].read_key()
    except BadInput:
        if may_run(["server_generations"]):
            raise


def _check_training(params: Params, settings: CheckpointSettings, hardware: Hardware) -> None:
    """Look at the machine, and whether the least batch would fit: more is known with the data."""
    base = None  # made from nothing, and small
    if settings.base != RANDOM:
        base = PinnedModel(model=settings.base, revision=settings.revision)
    check_machine(settings, params.training, hardware, base)
    if base is None:
        return
    least = settings.micro_batch_size or 1, settings.max_seq_length
    if not settings.packing:
        least = 1, 1
    check_memory_and_disk(settings, base, hardware, least, False, Path("models"))
