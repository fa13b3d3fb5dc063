"""Whether what would run can: training, a server that answers, models that answer or judge here."""

from collections.abc import Collection
from functools import partial
from pathlib import Path

from alpacare.compute.pinned_model import RANDOM, PinnedModel
from alpacare.core.errors import BadInput
from alpacare.generation.local_models import find_local_model
from alpacare.generation.settings import read_local_model
from alpacare.local_judging.judges import read_local_judge
from alpacare.local_judging.loglik import check_judge
from alpacare.pipeline import paths
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
    _check_models(params, cells)


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


def _check_models(params: Params, cells: Collection[str]) -> None:
    """Look at the models that answer or judge here, before hours of training end at one of them."""
    for stages, names, check_model in (
        ({"local_generations", "local_benchmarks"}, params.models.local, _check_local_model),
        (
            {"local_judgments", "local_contestant_judgments"},
            params.judgments.local_judges,
            _check_judge,
        ),
    ):
        needed = [each for each in cells if group(each) in stages]
        try:
            for name in names if needed else ():
                check_model(name)
        except BadInput:
            if may_run(needed):
                raise


def _check_local_model(name: str) -> None:
    option = partial(command_option, "local_generations")
    folder = option("--models") / name
    if read_local_model(folder).model != RANDOM:  # that is made from nothing, and small
        find_local_model(folder, option("--base-model"), option("--prompt"))


def _check_judge(name: str) -> None:
    try:
        check_judge(read_local_judge(paths.judge(name)))
    except BadInput as error:
        raise BadInput(f"judge '{name}': {error}") from error


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
