"""What a run tells while it goes: loss, speed, use of the hardware, memory."""

import math
import re
import resource
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from alpacare.core.errors import BadInput
from alpacare.core.progress import Advance
from alpacare.training.checkpoints import keep_only, seal
from alpacare.training.data import Row
from alpacare.training.memory_estimate import PEAK_FLOPS, Shape, flops_a_token

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel, TrainerCallback, TrainingArguments


class Pace:
    """Useful tokens a second in steps after the first, which compiles and warms up."""

    def __init__(self, tokens_a_step: float, flops: float | None, peak: float | None) -> None:
        """`flops` a token; `peak` FLOPs a second of all devices, None where it is not known."""
        self.tokens_a_step = tokens_a_step
        self.flops = flops
        self.peak = peak
        self.steps = -1  # measured
        self.seconds = 0.0
        self.begun = 0.0

    def begin(self) -> None:
        """Note that a step begins; what lies between steps, saving say, is not counted."""
        self.begun = time.perf_counter()

    def end(self) -> None:
        """Count a step that has just ended."""
        self.steps += 1
        if self.steps:
            self.seconds += time.perf_counter() - self.begun

    @property
    def tokens_per_second(self) -> float | None:
        """None until two steps have passed."""
        return self.steps * self.tokens_a_step / self.seconds if self.steps > 0 else None

    @property
    def utilisation(self) -> float | None:
        """Share of the devices' peak FLOPs that trains (Chowdhery et al. 2022, appendix B)."""
        rate = self.tokens_per_second
        return rate * self.flops / self.peak if rate and self.flops and self.peak else None

    def note(self) -> str:
        """One line for a progress display."""
        parts = []
        if self.tokens_per_second:
            parts.append(f"{self.tokens_per_second:,.0f} tokens/s")
        if self.utilisation:
            parts.append(f"{self.utilisation:.0%} of peak FLOPs")
        return "  ".join([*parts, f"{peak_bytes() / 1e9:.1f} GB"])

    def summary(self, arguments: "TrainingArguments") -> dict[str, Any]:
        """What was measured and on what."""
        rate, used = self.tokens_per_second, self.utilisation
        return {
            "device": arguments.device.type,
            "name": _device_name(arguments),
            "processes": arguments.world_size,
            "tokens_per_second": round(rate) if rate else None,
            "utilisation": round(used, 4) if used else None,
            "peak_bytes": peak_bytes(),
        }


def peak_bytes() -> int:
    """The most memory that was in use at one time: of this process's GPU, or of this process."""
    import torch

    if torch.cuda.is_available() and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        return int(torch.cuda.max_memory_reserved())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts kilobytes


def make_pace(
    model: "PreTrainedModel | PeftModel",
    rows: Sequence[Row],
    steps: int,
    arguments: "TrainingArguments",
) -> Pace:
    """Count what a step of these rows is; `steps` of them take every row once."""
    lengths = [len(example.ids) for row in rows for example in row]
    tokens = sum(lengths)
    context = sum(length * length for length in lengths) / tokens  # of the mean token
    trained = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    adapter = trained if any(not weight.requires_grad for weight in model.parameters()) else 0
    try:
        flops = flops_a_token(Shape.of(model.config), context, adapter)
    except BadInput:  # no LLaMA's kin
        flops = None
    device = _device_name(arguments)
    peaks = [peak for name, peak in PEAK_FLOPS.items() if re.search(rf"\b{name}\b", device)]
    peak = peaks[0] * arguments.world_size if peaks and arguments.bf16 else None
    return Pace(tokens / steps, flops, peak)


def _device_name(arguments: "TrainingArguments") -> str:
    import torch

    if arguments.device.type == "cpu":
        return "CPU"
    return str(torch.cuda.get_device_name(arguments.device))


def _check_finite(entry: dict[str, float]) -> None:
    if not math.isfinite(entry["loss"]):
        raise BadInput(
            f"training diverged: the loss of step {entry['step']} is not a number; "
            "lower checkpoint.optimizer.learning_rate"
        )


def make_watch(advance: Advance, pace: Pace, stop: Event) -> "TrainerCallback":
    """Make Trainer's callback: it shows each step and seals each checkpoint.

    It ends the run after the step under way when `stop` is set, and raises BadInput when the loss
    is no longer a number.
    """
    from transformers import TrainerCallback

    class Watch(TrainerCallback):
        """The methods that Trainer calls."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            advance(state.global_step, "goes on" if state.global_step else "")

        def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            pace.begin()

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            pace.end()
            if stop.is_set():
                control.should_save = control.should_training_stop = True

        def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            entry = state.log_history[-1]
            if "loss" not in entry:
                return
            _check_finite(entry)
            if state.is_world_process_zero:
                advance(1, f"loss {entry['loss']:.3f}  {pace.note()}")

        def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            from accelerate import PartialState

            PartialState().wait_for_everyone()  # each process writes a part
            if state.is_world_process_zero:
                checkpoint = Path(args.output_dir) / f"checkpoint-{state.global_step}"
                seal(checkpoint)
                keep_only(checkpoint, checkpoint.parent)

    return Watch()
