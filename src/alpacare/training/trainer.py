"""The training run itself: Hugging Face's Trainer over rows of tokens, on one process or many."""

from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from alpacare.core.progress import track
from alpacare.training.attention import attend_by_example, collate_flat
from alpacare.training.callbacks import Pace, make_pace, make_watch
from alpacare.training.checkpoints import keep_only, last_complete
from alpacare.training.data import Row, collate, shares
from alpacare.training.packing import IGNORED
from alpacare.training.packing_leak import check_apart
from alpacare.training.settings import CheckpointSettings

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
        BadInput: the model does not keep packed examples apart, or the loss is no longer a number.
    """
    from accelerate import PartialState
    from transformers import PrinterCallback, Trainer

    model.config.use_cache = False  # with a cache, packed examples would see each other
    settings, state = job.settings, PartialState(cpu=job.cpu)
    at_once, turns = shares(job.rows_per_step, state.num_processes, settings.micro_rows)
    rows = filled(rows, at_once * turns * state.num_processes)
    steps = len(rows) // (at_once * turns * state.num_processes)
    arguments = make_arguments(job, scratch, (at_once, turns), steps if validation else None)
    pace = make_pace(model, rows, steps, arguments)
    if settings.packing and job.cpu and not settings.compile and attend_by_example(model):
        collator = partial(collate_flat, pad_id=job.pad_id)
    else:
        length = settings.row_length if settings.packing else None
        collator = partial(collate, length=length, pad_id=job.pad_id)
    if settings.packing and state.is_main_process:  # of FSDP's, it alone has weights now
        check_apart(model)
    start = last_complete(scratch)
    if state.is_main_process:
        keep_only(start, scratch)
    display = track("training", settings.optimizer.epochs * steps, "steps")
    with display if state.is_main_process else nullcontext(_silent) as advance:
        trainer = Trainer(
            model,
            arguments,
            train_dataset=list(rows),
            eval_dataset=list(validation) or None,
            data_collator=collator,
            preprocess_logits_for_metrics=sum_losses,
            compute_metrics=mean_loss,
            callbacks=[make_watch(advance, pace, stop)],
        )
        trainer.remove_callback(PrinterCallback)
        if job.sharded and arguments.bf16:
            _keep_sums_exact(trainer)
        trainer.train(resume_from_checkpoint=str(start) if start else None)
    model.config.use_cache = True
    return trainer, pace


def _silent(units: int, note: str) -> None:
    """Show nothing: one display is enough for all processes."""


def _keep_sums_exact(trainer: "Trainer") -> None:
    """Have FSDP2 add up gradients, and give out the loss, in float32; accelerate's way is bf16."""
    import torch
    from torch.distributed.fsdp import MixedPrecisionPolicy

    trainer.accelerator.state.fsdp_plugin.mixed_precision_policy = MixedPrecisionPolicy(
        param_dtype=torch.bfloat16, reduce_dtype=torch.float32
    )


def make_arguments(
    job: Job, scratch: Path, share: tuple[int, int], validate_each: int | None
) -> "TrainingArguments":
    """Say to Trainer what the settings say; `share`: rows at once on a device, and its turns."""
    from transformers import TrainingArguments

    settings, optimizer = job.settings, job.settings.optimizer
    bfloat16 = settings.student.dtype == "bfloat16"
    # FSDP2's own recomputation is faster, but peft does not know the names that it gives to layers
    shards_recompute = job.sharded and settings.lora is None
    warm = "constant_with_warmup"  # what Trainer calls constant takes no warm-up
    return TrainingArguments(
        output_dir=str(scratch),
        use_cpu=job.cpu,
        num_train_epochs=optimizer.epochs,
        per_device_train_batch_size=share[0],
        per_device_eval_batch_size=1,  # whole logits: those of a training batch may not fit
        gradient_accumulation_steps=share[1],
        learning_rate=optimizer.learning_rate,
        lr_scheduler_type=warm if optimizer.schedule == "constant" else optimizer.schedule,
        warmup_steps=optimizer.warmup_share,  # below 1: a share of all steps
        weight_decay=optimizer.weight_decay,
        optim="adamw_bnb_8bit" if optimizer.eight_bit else "adamw_torch_fused",
        bf16=bfloat16,
        tf32=True if bfloat16 and not job.cpu else None,
        gradient_checkpointing=settings.gradient_checkpointing and not shards_recompute,
        torch_compile=settings.compile,
        use_liger_kernel=settings.liger,
        # without it FSDP2 keeps whole gradients on each device until the step's last turn
        accelerator_config={"gradient_accumulation_kwargs": {"sync_each_batch": job.sharded}},
        seed=settings.student.seed,
        logging_steps=1,
        logging_nan_inf_filter=False,  # it would log a loss that is not a number as 0
        # after each epoch, by steps: so it comes before a checkpoint is saved, and is in it
        eval_strategy="steps" if validate_each else "no",
        eval_steps=validate_each,
        save_strategy="steps",
        save_steps=settings.save_steps,
        save_total_limit=None,  # the one before goes when the new one is complete, see watch.py
        report_to=settings.report_to or "none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=not job.cpu,
        ddp_find_unused_parameters=False,
    )


def filled(rows: Sequence[Row], per_step: int) -> list[Row]:
    """Add empty rows until steps divide evenly.

    Several processes would else take some rows twice. An empty row is padding alone: it counts
    nothing in the loss.
    """
    return [*rows, *[[] for _ in range(-len(rows) % per_step)]]


def sum_losses(logits: "torch.Tensor", labels: "torch.Tensor") -> "torch.Tensor":
    """Sum the losses of a row's response tokens, [1, tokens, vocabulary], and count them: [1, 2].

    Rows hold different numbers of them, so a mean over rows or batches, Trainer's own, would be
    another figure than the training loss. From `collate_flat` the logits are those alone.
    """
    import torch

    targets = labels[:, 1:]
    counted = targets != IGNORED
    if logits.shape[1] == labels.shape[1]:
        logits = logits[:, :-1][counted][None]
    loss = torch.nn.functional.cross_entropy(logits[0].float(), targets[counted], reduction="sum")
    return torch.stack([loss, counted.sum()])[None]


def mean_loss(prediction: "EvalPrediction") -> dict[str, float]:
    """Mean loss over all response tokens held out, in nats."""
    sums: Any = prediction.predictions
    total, tokens = sums.astype(float).sum(axis=0)
    return {"nats": float(total / tokens)}


def history(logs: list[dict[str, float]]) -> list[dict[str, float]]:
    """Turn Trainer's log into one entry a step, with the validation loss where it was measured."""
    entries = {
        log["step"]: {
            "step": log["step"],
            "epoch": round(log["epoch"], 4),
            "loss": log["loss"],
            "learning_rate": log["learning_rate"],
        }
        for log in logs
        if "loss" in log
    }
    for log in logs:
        if "eval_nats" in log:
            entries[log["step"]]["validation_loss"] = log["eval_nats"]
    return list(entries.values())
