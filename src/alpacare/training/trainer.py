"""The training run itself: Hugging Face's Trainer over packed rows."""

import math
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from alpacare.errors import BadInput
from alpacare.progress import Advance, track
from alpacare.settings import Settings
from alpacare.training.student import StudentSettings

if TYPE_CHECKING:
    from transformers import PreTrainedModel, TrainerCallback


class OptimizerSettings(Settings):
    """How the weights move."""

    epochs: int = Field(gt=0)
    batch_size: int = Field(gt=0)
    learning_rate: float = Field(gt=0)
    schedule: Literal["cosine", "linear", "constant"]
    warmup_share: float = Field(ge=0, lt=1)
    weight_decay: float = Field(ge=0)


def train(
    model: "PreTrainedModel",
    rows: Sequence[dict[str, Any]],
    rows_per_step: int,
    settings: OptimizerSettings,
    student: StudentSettings,
) -> list[dict[str, float]]:
    """Train `model` in place and return one history entry a step: step, epoch, loss, rate.

    Weights stay float32; `bfloat16` is the arithmetic of forward and backward.

    Raises:
        BadInput: the loss is no longer a number, or several GPUs are visible.
    """
    import torch
    from transformers import PrinterCallback, Trainer, TrainingArguments

    if torch.cuda.device_count() > 1:
        # Trainer would split each batch over them by itself and change the batch size
        raise BadInput("several GPUs are visible; choose one with CUDA_VISIBLE_DEVICES=0")
    model.config.use_cache = False  # with a cache, packed examples would see each other
    with tempfile.TemporaryDirectory() as scratch:
        arguments = TrainingArguments(
            output_dir=scratch,
            num_train_epochs=settings.epochs,
            per_device_train_batch_size=rows_per_step,
            learning_rate=settings.learning_rate,
            lr_scheduler_type=settings.schedule,
            warmup_steps=settings.warmup_share,  # below 1: a share of all steps
            weight_decay=settings.weight_decay,
            bf16=student.dtype == "bfloat16",
            seed=student.seed,
            logging_steps=1,
            logging_nan_inf_filter=False,  # it would log a loss that is not a number as 0
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            remove_unused_columns=False,
            dataloader_pin_memory=torch.cuda.is_available(),
        )
        steps = settings.epochs * math.ceil(len(rows) / rows_per_step)
        with track("training", steps, "steps") as advance:
            watch = _watch(advance)
            trainer = Trainer(model, arguments, train_dataset=list(rows), callbacks=[watch])
            trainer.remove_callback(PrinterCallback)
            trainer.train()
    model.config.use_cache = True
    return [_entry(log) for log in trainer.state.log_history if "loss" in log]


def _entry(log: dict[str, float]) -> dict[str, float]:
    return {
        "step": log["step"],
        "epoch": round(log["epoch"], 4),
        "loss": log["loss"],
        "learning_rate": log["learning_rate"],
    }


def _watch(advance: Advance) -> "TrainerCallback":
    from transformers import TrainerCallback

    class Watch(TrainerCallback):
        """Show each step's loss, and stop a run that has diverged."""

        def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            entry = state.log_history[-1]
            if "loss" not in entry:
                return
            if not math.isfinite(entry["loss"]):
                raise BadInput(
                    f"training diverged: the loss of step {entry['step']} is not a number; "
                    "lower checkpoint.optimizer.learning_rate"
                )
            advance(1, f"loss {entry['loss']:.3f}")

    return Watch()
