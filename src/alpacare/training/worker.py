"""One process of a training run, started by `accelerate launch`; the stage `checkpoint` does that.

accelerate launch --config_file configs/accelerate/cpu.yaml -m alpacare.training.worker SCRATCH
"""

import json
import os
import signal
import sys
from contextlib import nullcontext
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from alpacare.compute.determinism import make_deterministic
from alpacare.compute.workers import ERROR, first_line, lock_name
from alpacare.core.command import STOPPED
from alpacare.core.errors import BadInput
from alpacare.core.file_lock import alone
from alpacare.core.progress import quiet_libraries
from alpacare.training.data import load_rows
from alpacare.training.student import load_student
from alpacare.training.trainer import Job, history, train

if TYPE_CHECKING:
    from transformers import Trainer

# what Python and Rust say when a disk is full, and (the last two) torch.save
_FULL_DISK = (
    "No space left",
    "File too large",
    "quota exceeded",
    "PytorchStreamWriter",
    "unexpected pos",
)


def main(scratch: Path) -> None:
    """Train on what lies in `scratch`, and leave the result there."""
    first = os.environ.get("RANK", "0") == "0"
    try:
        with alone(scratch / lock_name(0)) if first else nullcontext():
            _run(scratch, _stop_on_signals())
    except BaseException as error:  # torch has one that is no Exception for a full disk
        told = _explain(error)
        if told is None:
            raise
        (scratch / ERROR).write_text(told)
        # the other processes wait for this one, and end when it fails
        raise SystemExit(1 if _many() else 0) from None


def _explain(error: BaseException) -> str | None:
    """Say in a line what a user can mend; None for what is a defect."""
    import torch

    if isinstance(error, BadInput):
        return str(error)
    if isinstance(error, torch.OutOfMemoryError):
        return (
            "the GPU's memory is full; what helps, in section checkpoint: fewer micro_rows, "
            "gradient_checkpointing: true, liger: true, or lora"
        )
    if any(sign in str(error) for sign in _FULL_DISK):
        return (
            f"a checkpoint could not be written ({first_line(error)}); make room on the disk, and "
            "the same command goes on from the last whole one"
        )
    return None


def _many() -> bool:
    return os.environ.get("WORLD_SIZE", "1") != "1"


def _stop_on_signals() -> Event:
    """Set an event on Ctrl-C and SIGTERM; of several processes each would stop at another step."""
    stop = Event()
    many = _many()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(STOPPED) if many else stop.set())
    return stop


def _run(scratch: Path, stop: Event) -> None:
    import torch
    from accelerate import PartialState
    from transformers import AutoTokenizer

    job = Job.model_validate_json((scratch / "job.json").read_text())
    make_deterministic(job.settings.student.seed, job.settings.threads)
    # some kernels of a GPU have no deterministic form; what varies is written beside the weights
    torch.use_deterministic_algorithms(job.cpu)
    quiet_libraries()
    state = PartialState(cpu=job.cpu)
    model = load_student(job.settings, AutoTokenizer.from_pretrained(scratch / "tokenizer"))
    rows, validation = (load_rows(scratch / f"{name}.npz") for name in ("train", "validation"))
    trainer, pace = train(model, rows, validation, job, scratch, stop)
    if trainer.state.global_step < trainer.state.max_steps:
        raise SystemExit(STOPPED)
    _save(trainer, scratch)
    speed = scratch / "speed.json"
    if state.is_main_process and (pace.tokens_per_second or not speed.exists()):
        speed.write_text(json.dumps(pace.summary(trainer.args)))


def _save(trainer: "Trainer", scratch: Path) -> None:
    """Gather the weights into one place, and write them with the history."""
    accelerator = trainer.accelerator
    weights = accelerator.get_state_dict(trainer.model)  # each process gives its part
    if trainer.is_world_process_zero():
        model = accelerator.unwrap_model(trainer.model, keep_torch_compile=False)
        # weights that are one in the model are two when gathered, and one again when loaded
        tied = getattr(model.config, "tie_word_embeddings", False)
        copies = set(model._tied_weights_keys or ()) if tied else set()
        weights = {name: weight for name, weight in weights.items() if name not in copies}
        model.save_pretrained(scratch / "result", state_dict=weights)
        (scratch / "history.json").write_text(json.dumps(history(trainer.state.log_history)))
    accelerator.wait_for_everyone()  # one that left early would take its part along


if __name__ == "__main__":
    main(Path(sys.argv[1]))
