"""What a run reports while it trains: loss, throughput, use of the hardware, memory."""

import math
import re
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from alpacare.core.errors import BadInput
from alpacare.core.progress import Advance
from alpacare.training.checkpoints import delete_others, mark_complete
from alpacare.training.memory_estimate import PEAK_FLOPS, ModelShape, flops_per_token
from alpacare.training.sequences import PackedSequences

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel, TrainerCallback, TrainingArguments


@dataclass
class Throughput:
    """Useful tokens a second in steps after the first, which compiles and warms up."""

    device: str
    tokens_per_step: float
    flops: float | None  # a token; None where it is not known
    peak: float | None  # FLOPs a second of all devices; None where it is not known
    steps: int = -1  # measured
    seconds: float = 0.0
    started: float = 0.0

    def start_step(self) -> None:
        """Note that a step begins; what comes between steps, such as saving, is not counted."""
        self.started = time.perf_counter()

    def end_step(self) -> None:
        """Count a step that has just ended."""
        self.steps += 1
        if self.steps:
            self.seconds += time.perf_counter() - self.started

    @property
    def tokens_per_second(self) -> float | None:
        """None until two steps have passed."""
        return self.steps * self.tokens_per_step / self.seconds if self.steps > 0 else None

    @property
    def utilisation(self) -> float | None:
        """Model FLOPs utilisation: share of the devices' peak (Chowdhery et al. 2022, app. B)."""
        rate = self.tokens_per_second
        return rate * self.flops / self.peak if rate and self.flops and self.peak else None

    def progress_note(self) -> str:
        """One line for a progress display."""
        parts = []
        if self.tokens_per_second:
            parts.append(f"{self.tokens_per_second:,.0f} tokens/s")
        if self.utilisation:
            parts.append(f"{self.utilisation:.0%} of peak FLOPs")
        return "  ".join([*parts, f"{peak_bytes() / 1e9:.1f} GB"])

    def summary(self, arguments: "TrainingArguments") -> dict[str, Any]:
        """Give what was measured, and on which devices."""
        rate, used = self.tokens_per_second, self.utilisation
        return {
            "device": arguments.device.type,
            "name": self.device,
            "processes": arguments.world_size,
            "tokens_per_second": round(rate) if rate else None,
            "utilisation": round(used, 4) if used else None,
            "peak_bytes": peak_bytes(),
        }


def peak_bytes() -> int:
    """The most memory in use at one time: of this process's GPU, or of this process."""
    import torch

    if torch.cuda.is_available() and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        return int(torch.cuda.max_memory_reserved())
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux kilobytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def make_throughput(
    model: "PreTrainedModel | PeftModel",
    sequences: PackedSequences,
    steps: int,
    arguments: "TrainingArguments",
) -> Throughput:
    """Count tokens and FLOPs of a step; `steps` of them take every sequence once."""
    import torch

    lengths: list[int] = sequences.lengths.tolist()
    tokens = sum(lengths)
    context = sum(length * length for length in lengths) / tokens  # of the mean token
    trained = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    adapter = trained if any(not weight.requires_grad for weight in model.parameters()) else 0
    try:
        flops = flops_per_token(ModelShape.from_config(model.config), context, adapter)
    except BadInput:  # not a LLaMA-like model
        flops = None
    device = "CPU"
    if arguments.device.type != "cpu":
        device = str(torch.cuda.get_device_name(arguments.device))
    peaks = [peak for name, peak in PEAK_FLOPS.items() if re.search(rf"\b{name}\b", device)]
    peak = peaks[0] * arguments.world_size if peaks and arguments.bf16 else None
    return Throughput(device, tokens / steps, flops, peak)


def _check_finite(entry: dict[str, float]) -> None:
    if not math.isfinite(entry["loss"]):
        raise BadInput(
            f"training diverged: the loss of step {entry['step']} is not a number; "
            "lower checkpoint.optimizer.learning_rate"
        )


class AlreadyTrained(Exception):
    """The checkpoint to go on from is that of the last step: Trainer itself would do one more."""


def _check_steps_left(state: Any) -> None:
    if state.global_step >= state.max_steps:
        raise AlreadyTrained


def make_callback(advance: Advance, throughput: Throughput, stop: Event) -> "TrainerCallback":
    """Make Trainer's callback: it shows each step and marks each checkpoint as complete.

    It ends the run after the current step when `stop` is set, and raises BadInput when the loss
    is no longer a number.
    """
    from transformers import TrainerCallback

    class ProgressCallback(TrainerCallback):
        """The methods that Trainer calls."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            advance(0, "continued" if state.global_step else "")
            _check_steps_left(state)

        def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            throughput.start_step()

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            throughput.end_step()
            if stop.is_set():
                control.should_save = control.should_training_stop = True

        def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            entry = state.log_history[-1]
            if "loss" not in entry:
                return
            _check_finite(entry)
            if state.is_world_process_zero:
                advance(1, f"loss {entry['loss']:.3f}  {throughput.progress_note()}")

        def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            from accelerate import PartialState

            PartialState().wait_for_everyone()  # each process writes a part
            if state.is_world_process_zero:
                checkpoint = Path(args.output_dir) / f"checkpoint-{state.global_step}"
                mark_complete(checkpoint)
                delete_others(checkpoint, checkpoint.parent)

    return ProgressCallback()
