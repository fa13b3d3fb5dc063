"""The training run itself: Hugging Face's Trainer over packed rows."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from alpacare.progress import track
from alpacare.settings import Settings

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
    seed: int,
    scratch: Path,
) -> list[dict[str, float]]:
    """Train `model` in place and return one history entry a step: step, epoch, loss, rate."""
    import torch
    from transformers import PrinterCallback, Trainer, TrainingArguments

    model.config.use_cache = False  # with a cache, packed examples would see each other
    arguments = TrainingArguments(
        output_dir=str(scratch),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=rows_per_step,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.schedule,
        warmup_steps=settings.warmup_share,  # below 1: a share of all steps
        weight_decay=settings.weight_decay,
        bf16=model.dtype == torch.bfloat16,
        seed=seed,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=torch.cuda.is_available(),
    )
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=list(rows),
        callbacks=[_progress()],
    )
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


def _progress() -> "TrainerCallback":
    from transformers import TrainerCallback

    class Progress(TrainerCallback):
        """Show steps and the latest loss."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self._stack = ExitStack()
            self._advance = self._stack.enter_context(track("training", state.max_steps, "steps"))

        def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if "loss" in state.log_history[-1]:
                self._advance(1, f"loss {state.log_history[-1]['loss']:.3f}")

        def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self._stack.close()

    return Progress()
