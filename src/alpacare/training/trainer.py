"""The training run itself: Hugging Face's Trainer on packed sequences, in one process or many."""

from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from alpacare.compute.pinned_model import PinnedModel
from alpacare.core.progress import track
from alpacare.training.attention import (
    check_packing_leak,
    collate_flattened,
    use_padding_free_attention,
)
from alpacare.training.callbacks import (
    AlreadyTrained,
    Throughput,
    make_callback,
    make_throughput,
)
from alpacare.training.checkpoints import checkpoint_step, delete_others, last_complete
from alpacare.training.data import StepSplit, collate_padded, split_step
from alpacare.training.sequences import PackedSequences
from alpacare.training.settings import CheckpointSettings, OptimizerSettings, TrainingSettings
from alpacare.training.validation import Validation

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import (
        DataCollator,
        PreTrainedModel,
        Trainer,
        TrainingArguments,
    )


class TrainingJob(BaseModel):
    """What the workers read, beside the sequences and the tokenizer."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    settings: CheckpointSettings
    training: TrainingSettings
    base: PinnedModel
    seed: int  # order of the examples, and dropout
    sequences_per_step: int
    pad_id: int
    end_ids: list[int] = []  # what ends an answer
    cpu: bool = True
    sharded: bool = False  # FSDP2: weights and optimizer states divided among the processes


def train(
    model: "PreTrainedModel | PeftModel",
    sequences: PackedSequences,
    validation: PackedSequences,
    job: TrainingJob,
    scratch: Path,
    stop: Event,
) -> tuple["Trainer", Throughput]:
    """Train `model` in place, from the last complete checkpoint in `scratch` if there is one.

    Weights stay float32; `bfloat16` is the arithmetic of forward and backward. When `stop` is set
    it ends after the current step, with a checkpoint to continue from.

    Raises:
        BadInput: the model does not keep packed examples apart, or the loss is no longer a number.
    """
    from accelerate import PartialState
    from transformers import PrinterCallback, Trainer

    model.config.use_cache = False  # with a cache, packed examples would see each other
    settings, state = job.settings, PartialState(cpu=job.cpu)
    split = split_step(job.sequences_per_step, state.num_processes, settings.micro_batch_size)
    per_step = split.micro_batch_size * split.accumulation_steps * state.num_processes
    # empty sequences, which count nothing in the loss, until steps divide evenly: else several
    # processes would take some sequences twice
    sequences = sequences.padded(-len(sequences) % per_step)
    steps = len(sequences) // per_step
    arguments = make_arguments(job, scratch, split, steps if len(validation) else None)
    throughput = make_throughput(model, sequences, steps, arguments)
    collator = _choose_collator(model, job)
    if settings.packing and state.is_main_process:  # with FSDP only this one has weights now
        check_packing_leak(model)
    start = last_complete(scratch)
    if state.is_main_process:
        delete_others(start, scratch)
    held_out = Validation(validation, scratch)
    before = checkpoint_step(start) if start else 0
    display = track("training", count_steps(settings.optimizer, steps), "steps", before)
    # one display is enough for all processes
    with display if state.is_main_process else nullcontext(lambda *_: None) as advance:
        trainer = Trainer(
            model,
            arguments,
            train_dataset=sequences,  # each is read from the disk when its turn comes
            eval_dataset=validation if len(validation) else None,
            data_collator=collator,
            preprocess_logits_for_metrics=held_out.token_losses,
            compute_metrics=held_out.measure,
            callbacks=[make_callback(advance, throughput, stop), held_out.callback()],
        )
        trainer.remove_callback(PrinterCallback)
        if job.sharded and arguments.bf16:
            _reduce_in_float32(trainer)
        with suppress(AlreadyTrained):
            trainer.train(resume_from_checkpoint=str(start) if start else None)
    model.config.use_cache = True
    return trainer, throughput


def count_steps(optimizer: OptimizerSettings, each_epoch: int) -> int:
    """Give the steps of a run with `each_epoch` steps an epoch."""
    return optimizer.max_steps or optimizer.epochs * each_epoch


def _choose_collator(model: "PreTrainedModel | PeftModel", job: TrainingJob) -> "DataCollator":
    """Choose how sequences become a batch; also set the attention that goes with it."""
    settings = job.settings
    padding_free = settings.packing and job.cpu and not settings.compile
    if padding_free and use_padding_free_attention(model):
        return partial(collate_flattened, pad_id=job.pad_id)
    length = settings.max_seq_length if settings.packing else None
    return partial(collate_padded, length=length, pad_id=job.pad_id)


def _reduce_in_float32(trainer: "Trainer") -> None:
    """Have FSDP2 reduce gradients and loss in float32; accelerate's default is bfloat16."""
    import torch
    from torch.distributed.fsdp import MixedPrecisionPolicy

    trainer.accelerator.state.fsdp_plugin.mixed_precision_policy = MixedPrecisionPolicy(
        param_dtype=torch.bfloat16, reduce_dtype=torch.float32
    )


def make_arguments(
    job: TrainingJob, scratch: Path, split: StepSplit, validate_each: int | None
) -> "TrainingArguments":
    """Translate the settings to Trainer's; `validate_each`: steps between validations."""
    from transformers import TrainingArguments

    settings, optimizer = job.settings, job.settings.optimizer
    bfloat16 = settings.dtype == "bfloat16"
    # FSDP2's own recomputation is faster, but peft does not know the names that it gives to layers
    fsdp_recomputes = job.sharded and settings.lora is None
    constant = "constant_with_warmup"  # Trainer's "constant" has no warm-up
    return TrainingArguments(
        output_dir=str(scratch),
        use_cpu=job.cpu,
        num_train_epochs=optimizer.epochs,
        max_steps=optimizer.max_steps or -1,
        per_device_train_batch_size=split.micro_batch_size,
        per_device_eval_batch_size=1,  # whole logits: those of a training batch may not fit
        gradient_accumulation_steps=split.accumulation_steps,
        learning_rate=optimizer.learning_rate,
        lr_scheduler_type=constant if optimizer.schedule == "constant" else optimizer.schedule,
        warmup_steps=optimizer.warmup_ratio,  # below 1: a ratio of all steps
        weight_decay=optimizer.weight_decay,
        optim="adamw_bnb_8bit" if optimizer.name == "adamw_8bit" else "adamw_torch_fused",
        bf16=bfloat16,
        tf32=True if bfloat16 and not job.cpu else None,
        gradient_checkpointing=settings.gradient_checkpointing and not fsdp_recomputes,
        torch_compile=settings.compile,
        use_liger_kernel=settings.liger,
        # else FSDP2 keeps whole gradients on each device until the step's last micro batch
        accelerator_config={"gradient_accumulation_kwargs": {"sync_each_batch": job.sharded}},
        seed=job.seed,
        logging_steps=1,
        logging_nan_inf_filter=False,  # it would log a loss that is not a number as 0
        # after each epoch, by steps: so it comes before a checkpoint is saved, and is in it
        eval_strategy="steps" if validate_each else "no",
        eval_steps=validate_each,
        # the base's loss; one that goes on has measured it, and would log it with another step
        eval_on_start=bool(validate_each) and last_complete(scratch) is None,
        save_steps=job.training.save_steps,  # callbacks.py deletes the one before
        report_to=job.training.report_to or "none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=not job.cpu,
        ddp_find_unused_parameters=False,
    )


def history(logs: list[dict[str, float]]) -> list[dict[str, float]]:
    """Turn Trainer's log into one entry a step, with the validation loss where it was measured."""
    names = ("step", "epoch", "loss", "learning_rate")
    entries = {log["step"]: {name: log[name] for name in names} for log in logs if "loss" in log}
    for log in logs:
        if "eval_nats" in log and log["step"] in entries:  # step 0 is the base's
            entries[log["step"]]["validation_loss"] = log["eval_nats"]
    return [entry | {"epoch": round(entry["epoch"], 4)} for entry in entries.values()]
