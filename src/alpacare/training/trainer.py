"""The training run itself: Hugging Face's Trainer over rows of tokens, on one process or many."""

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from alpacare.errors import BadInput
from alpacare.progress import Advance, track
from alpacare.training.data import Row, collate, shares
from alpacare.training.scratch import last_complete, seal
from alpacare.training.settings import CheckpointSettings

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel, Trainer, TrainerCallback, TrainingArguments


def train(
    model: "PreTrainedModel | PeftModel",
    rows: Sequence[Row],
    validation: Sequence[Row],
    rows_per_step: int,
    settings: CheckpointSettings,
    pad_id: int,
    scratch: Path,
    stop: Event,
) -> "Trainer":
    """Train `model` in place, going on from the last complete checkpoint in `scratch`.

    Weights stay float32; `bfloat16` is the arithmetic of forward and backward. When `stop` is set
    it ends after the step under way, with a checkpoint to go on from.

    Raises:
        BadInput: the loss is no longer a number.
    """
    from transformers import PrinterCallback, Trainer

    model.config.use_cache = False  # with a cache, packed examples would see each other
    arguments = _arguments(settings, rows_per_step, scratch, bool(validation))
    rows = _filled(rows, arguments)
    steps = settings.optimizer.epochs * len(rows) // _rows_a_step(arguments)
    length = settings.row_length if settings.packing else None
    with track("training", steps, "steps") as advance:
        trainer = Trainer(
            model,
            arguments,
            train_dataset=list(rows),
            eval_dataset=list(validation) or None,
            data_collator=partial(collate, length=length, pad_id=pad_id),
            callbacks=[_watch(advance, stop)],
        )
        trainer.remove_callback(PrinterCallback)
        start = last_complete(scratch)
        trainer.train(resume_from_checkpoint=str(start) if start else None)
    model.config.use_cache = True
    return trainer


def _arguments(
    settings: CheckpointSettings, rows_per_step: int, scratch: Path, validate: bool
) -> "TrainingArguments":
    import torch
    from accelerate import PartialState
    from transformers import TrainingArguments

    on_gpu = torch.cuda.is_available()
    processes = PartialState(cpu=not on_gpu).num_processes
    at_once, turns = shares(rows_per_step, processes, settings.micro_rows)
    optimizer = settings.optimizer
    return TrainingArguments(
        output_dir=str(scratch),
        use_cpu=not on_gpu,
        num_train_epochs=optimizer.epochs,
        per_device_train_batch_size=at_once,
        per_device_eval_batch_size=at_once,
        gradient_accumulation_steps=turns,
        learning_rate=optimizer.learning_rate,
        lr_scheduler_type=optimizer.schedule,
        warmup_steps=optimizer.warmup_share,  # below 1: a share of all steps
        weight_decay=optimizer.weight_decay,
        optim="adamw_bnb_8bit" if optimizer.eight_bit else "adamw_torch_fused",
        bf16=settings.student.dtype == "bfloat16",
        tf32=True if on_gpu else None,
        gradient_checkpointing=settings.gradient_checkpointing,
        torch_compile=settings.compile,
        use_liger_kernel=settings.liger,
        seed=settings.student.seed,
        logging_steps=1,
        logging_nan_inf_filter=False,  # it would log a loss that is not a number as 0
        eval_strategy="epoch" if validate else "no",
        save_strategy="steps",
        save_steps=settings.save_steps,
        save_total_limit=2,
        report_to=settings.report_to or "none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=on_gpu,
    )


def _rows_a_step(arguments: "TrainingArguments") -> int:
    each = arguments.per_device_train_batch_size * arguments.gradient_accumulation_steps
    return int(each * arguments.world_size)


def _filled(rows: Sequence[Row], arguments: "TrainingArguments") -> list[Row]:
    """Add empty rows until steps divide evenly.

    Several processes would else take some rows twice. An empty row is padding alone: it counts
    nothing in the loss.
    """
    return [*rows, *[[] for _ in range(-len(rows) % _rows_a_step(arguments))]]


def _watch(advance: Advance, stop: Event) -> "TrainerCallback":
    from transformers import TrainerCallback

    class Watch(TrainerCallback):
        """Show each step, seal each checkpoint, and stop a run that has diverged."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            advance(state.global_step, "goes on" if state.global_step else "")

        def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            entry = state.log_history[-1]
            if "loss" not in entry:
                return
            if not math.isfinite(entry["loss"]):
                raise BadInput(
                    f"training diverged: the loss of step {entry['step']} is not a number; "
                    "lower checkpoint.optimizer.learning_rate"
                )
            if state.is_world_process_zero:
                advance(1, f"loss {entry['loss']:.3f}")

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if stop.is_set():
                control.should_save = control.should_training_stop = True

        def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            from accelerate import PartialState

            PartialState().wait_for_everyone()  # each process writes a part
            if state.is_world_process_zero:
                seal(Path(args.output_dir) / f"checkpoint-{state.global_step}")

    return Watch()
