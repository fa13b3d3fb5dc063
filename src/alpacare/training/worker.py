r"""One process of a training run.

On one CPU it is the process of the stage `checkpoint`; else that stage starts it:

    accelerate launch --config_file configs/accelerate/one-gpu.yaml \
        -m alpacare.training.worker SCRATCH
"""

import json
import os
import re
import signal
import sys
import warnings
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from alpacare.compute.determinism import make_deterministic
from alpacare.compute.workers import ERROR_FILE, check_worker_inputs, first_line, worker_lock
from alpacare.core.command import STOPPED
from alpacare.core.errors import BadInput
from alpacare.core.file_lock import hold_lock
from alpacare.core.progress import tell_start
from alpacare.training.prepared import TRAIN, VALIDATION
from alpacare.training.sequences import PackedSequences
from alpacare.training.student import load_student
from alpacare.training.trainer import TrainingJob, history, train

if TYPE_CHECKING:
    from transformers import Trainer

JOB = "job.json"
# messages of Python and Rust, and (the last two) of torch.save, when a disk is full
_FULL_DISK = "No space left|File too large|quota exceeded|PytorchStreamWriter|unexpected pos"


def run_here(scratch: Path) -> bool:
    """Train on the job in `scratch` in this process; False if a signal has stopped it.

    Raises:
        BadInput: training failed; the line says why.
    """
    stop = Event()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: stop.set()) for number in numbers]
    try:
        with (
            hold_lock(scratch / worker_lock(0)),
            # libraries announce future changes, which say nothing about this run
            warnings.catch_warnings(action="ignore", category=FutureWarning),
        ):
            return _run(scratch, stop)
    except BaseException as error:  # for a full disk torch raises one that is no Exception
        if message := _explain(error):
            raise BadInput(message) from error
        raise
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def main(scratch: Path) -> None:
    """Train on the job in `scratch`, as one of several processes, and write the result there."""
    first = os.environ.get("RANK", "0") == "0"
    try:
        with ExitStack() as held:
            if first:
                held.enter_context(hold_lock(scratch / worker_lock(0)))
                held.enter_context(tell_start("training"))
            if not _run(scratch, _stop_on_signals()):
                raise SystemExit(STOPPED)
    except BaseException as error:  # for a full disk torch raises one that is no Exception
        message = _explain(error)
        if message is None:
            raise
        (scratch / ERROR_FILE).write_text(message)
        # the other processes wait for this one, and end when it fails
        raise SystemExit(1 if _is_distributed() else 0) from None


def _explain(error: BaseException) -> str | None:
    """Say in a line what a user can mend; None for a defect of the program."""
    import torch

    if isinstance(error, BadInput):
        return str(error)
    if isinstance(error, torch.OutOfMemoryError):
        return (
            "the GPU's memory is full; what helps, in section checkpoint: a smaller "
            "micro_batch_size, gradient_checkpointing: true, liger: true, or lora"
        )
    if re.search(_FULL_DISK, str(error)):
        return (
            f"a checkpoint could not be written ({first_line(error)}); make room on the disk, and "
            "the same command goes on from the last complete one"
        )
    return None


def _is_distributed() -> bool:
    return os.environ.get("WORLD_SIZE", "1") != "1"


def _stop_on_signals() -> Event:
    """Set an event on Ctrl-C and SIGTERM; several processes end at once, each at another step."""
    stop = Event()
    distributed = _is_distributed()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(STOPPED) if distributed else stop.set())
    return stop


def _run(scratch: Path, stop: Event) -> bool:
    """Train to the end, and write the result; False if it was stopped before."""
    from accelerate import PartialState

    job = TrainingJob.model_validate_json((scratch / JOB).read_text())
    make_deterministic(job.seed, job.settings.threads, on_cpu=job.cpu)
    state = PartialState(cpu=job.cpu)
    model = load_student(job.settings, job.base)
    sequences = PackedSequences.load(scratch / TRAIN)
    validation = PackedSequences.load(scratch / VALIDATION)
    if state.is_main_process:  # another machine may have its files elsewhere
        check_worker_inputs(scratch)
    trainer, throughput = train(model, sequences, validation, job, scratch, stop)
    if trainer.state.global_step < trainer.state.max_steps:
        return False
    _save(trainer, scratch)
    speed = scratch / "speed.json"
    if state.is_main_process and (throughput.tokens_per_second or not speed.exists()):
        speed.write_text(json.dumps(throughput.summary(trainer.args)))
    return True


def _save(trainer: "Trainer", scratch: Path) -> None:
    """Gather the weights from all processes, and write them with the history."""
    accelerator = trainer.accelerator
    weights = accelerator.get_state_dict(trainer.model)  # each process gives its part
    if trainer.is_world_process_zero():
        model = accelerator.unwrap_model(trainer.model, keep_torch_compile=False)
        # tied weights are one tensor in the model, two when gathered, and one again when loaded
        tied = getattr(model.config, "tie_word_embeddings", False)
        copies = set(model._tied_weights_keys or ()) if tied else set()
        weights = {name: weight for name, weight in weights.items() if name not in copies}
        model.save_pretrained(scratch / "result", state_dict=weights)
        (scratch / "history.json").write_text(json.dumps(history(trainer.state.log_history)))
    accelerator.wait_for_everyone()  # one that ended early would take its part along


if __name__ == "__main__":
    main(Path(sys.argv[1]))
