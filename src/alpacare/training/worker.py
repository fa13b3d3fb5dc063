"""One process of a training run, started by `accelerate launch`; the stage `checkpoint` does that.

    accelerate launch --config_file configs/accelerate/cpu.yaml -m alpacare.training.worker SCRATCH

What a user must be told goes to SCRATCH/error.txt, since a launcher shows nothing but a traceback.
"""

import json
import os
import signal
import sys
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from alpacare.determinism import make_deterministic
from alpacare.errors import BadInput
from alpacare.progress import quiet_libraries
from alpacare.training.data import load_rows
from alpacare.training.settings import CheckpointSettings
from alpacare.training.student import load_student
from alpacare.training.trainer import train

if TYPE_CHECKING:
    from transformers import Trainer

ERROR = "error.txt"
STOPPED = 130


def main(scratch: Path) -> None:
    """Train on what lies in `scratch`, and leave the result there."""
    try:
        _run(scratch, _stop_on_signals())
    except BadInput as error:
        (scratch / ERROR).write_text(str(error))


def _stop_on_signals() -> Event:
    """Set an event on Ctrl-C and SIGTERM; of several processes each would stop at another step."""
    stop = Event()
    alone = os.environ.get("WORLD_SIZE", "1") == "1"
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set() if alone else os._exit(STOPPED))
    return stop


def _run(scratch: Path, stop: Event) -> None:
    from transformers import AutoTokenizer

    job: dict[str, Any] = json.loads((scratch / "job.json").read_text())
    settings = CheckpointSettings.model_validate(job["settings"])
    make_deterministic(settings.student.seed, settings.threads)
    quiet_libraries()
    tokenizer = AutoTokenizer.from_pretrained(scratch / "tokenizer")
    trainer = train(
        load_student(settings, tokenizer),
        load_rows(scratch / "train.npz"),
        load_rows(scratch / "validation.npz"),
        job["rows_per_step"],
        settings,
        job["pad_id"],
        scratch,
        stop,
    )
    if trainer.state.global_step < trainer.state.max_steps:
        raise SystemExit(STOPPED)
    _save(trainer, scratch)


def _save(trainer: "Trainer", scratch: Path) -> None:
    """Gather the weights into one place and write them with the history."""
    plugin = getattr(trainer.accelerator.state, "fsdp_plugin", None)
    if plugin is not None:
        plugin.set_state_dict_type("FULL_STATE_DICT")
    trainer.save_model(str(scratch / "result"))
    if trainer.is_world_process_zero():
        logs = [_entry(log) for log in trainer.state.log_history if "loss" in log]
        (scratch / "device").write_text(trainer.args.device.type)
        (scratch / "history.json").write_text(json.dumps(logs))


def _entry(log: dict[str, float]) -> dict[str, float]:
    return {
        "step": log["step"],
        "epoch": round(log["epoch"], 4),
        "loss": log["loss"],
        "learning_rate": log["learning_rate"],
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
