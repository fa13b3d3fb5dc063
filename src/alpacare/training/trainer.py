"""The training run itself: Hugging Face's Trainer over rows of tokens, on one process or many."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from alpacare.progress import track
from alpacare.training.data import Row, collate, shares
from alpacare.training.packing import IGNORED
from alpacare.training.scratch import last_complete
from alpacare.training.settings import CheckpointSettings
from alpacare.training.watch import Pace, make_pace, make_watch

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from transformers import EvalPrediction, PreTrainedModel, Trainer, TrainingArguments


class Job(BaseModel):
    """What the stage tells its workers, beside the rows and the tokenizer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    settings: CheckpointSettings
    rows_per_step: int
    pad_id: int
    cpu: bool = True
    sharded: bool = False  # FSDP2: weights and optimiser cut into one part a process


def train(
    model: "PreTrainedModel | PeftModel",
    rows: Sequence[Row],
    validation: Sequence[Row],
    job: Job,
    scratch: Path,
    stop: Event,
) -> tuple["Trainer", Pace]:
    """Train `model` in place, going on from the last complete checkpoint in `scratch`.

    Weights stay float32; `bfloat16` is the arithmetic of forward and backward. When `stop` is set
    it ends after the step under way, with a checkpoint to go on from.

    Raises:
        BadInput: the loss is no longer a number.
    """
    from transformers import PrinterCallback, Trainer

    model.config.use_cache = False  # with a cache, packed examples would see each other
    arguments = make_arguments(job, scratch, bool(validation))
    rows = _filled(rows, arguments)
    steps = len(rows) // _rows_a_step(arguments)
    pace = make_pace(model, rows, steps, arguments)
    settings = job.settings
    length = settings.row_length if settings.packing else None
    with track("training", settings.optimizer.epochs * steps, "steps") as advance:
        trainer = Trainer(
            model,
            arguments,
            train_dataset=list(rows),
            eval_dataset=list(validation) or None,
            data_collator=partial(collate, length=length, pad_id=job.pad_id),
            preprocess_logits_for_metrics=sum_losses,
            compute_metrics=mean_loss,
            callbacks=[make_watch(advance, pace, stop)],
        )
        trainer.remove_callback(PrinterCallback)
        start = last_complete(scratch)
        trainer.train(resume_from_checkpoint=str(start) if start else None)
    model.config.use_cache = True
    return trainer, pace


def make_arguments(job: Job, scratch: Path, validate: bool) -> "TrainingArguments":
    """Say to Trainer what the settings say."""
    from accelerate import PartialState
    from transformers import TrainingArguments

    settings, optimizer = job.settings, job.settings.optimizer
    processes = PartialState(cpu=job.cpu).num_processes
    at_once, turns = shares(job.rows_per_step, processes, settings.micro_rows)
    return TrainingArguments(
        output_dir=str(scratch),
        use_cpu=job.cpu,
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
        tf32=None if job.cpu else True,
        # FSDP2 has its own, which the launcher asks for; both at once are refused
        gradient_checkpointing=settings.gradient_checkpointing and not job.sharded,
        torch_compile=settings.compile,
        use_liger_kernel=settings.liger,
        # without it FSDP2 keeps whole gradients on each device until the step's last turn
        accelerator_config={"gradient_accumulation_kwargs": {"sync_each_batch": job.sharded}},
        seed=settings.student.seed,
        logging_steps=1,
        logging_nan_inf_filter=False,  # it would log a loss that is not a number as 0
        eval_strategy="epoch" if validate else "no",
        save_strategy="steps",
        save_steps=settings.save_steps,
        save_total_limit=None,  # the one before goes when the new one is complete, see watch.py
        report_to=settings.report_to or "none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=not job.cpu,
        ddp_find_unused_parameters=False,
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


def sum_losses(logits: "torch.Tensor", labels: "torch.Tensor") -> "torch.Tensor":
    """Sum the losses of each row's response tokens: [rows, length, vocabulary] -> [rows, 2].

    The second number counts the tokens: rows hold different numbers of them, so a mean over rows
    or batches, Trainer's own, would be another figure than the training loss.
    """
    import torch

    targets = labels[:, 1:]
    losses = torch.nn.functional.cross_entropy(
        logits[:, :-1].transpose(1, 2).float(), targets, ignore_index=IGNORED, reduction="none"
    )
    return torch.stack([losses.sum(dim=1), (targets != IGNORED).sum(dim=1).float()], dim=1)


def mean_loss(prediction: "EvalPrediction") -> dict[str, float]:
    """Mean loss over all response tokens held out, in nats."""
    sums: Any = prediction.predictions
    total, tokens = sums.astype(float).sum(axis=0)
    return {"nats": float(total / tokens)}
