"""The loss on examples held out, before the first step and after each epoch.

What is kept is each example's loss, so that intervals can be had of them: over examples, as the
next examples would be others.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from alpacare.core import jsonl
from alpacare.core.files import write_json
from alpacare.training.packing import IGNORE_INDEX
from alpacare.training.sequences import PackedSequences

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from transformers import EvalPrediction, TrainerCallback

    Numbers = NDArray[np.floating[Any] | np.integer[Any]]

_FOLDER = "validation"  # in the scratch folder, a file for each measurement
_RESAMPLES = 2000


class HeldOutLosses(jsonl.Row):
    """One measurement: after `step` steps, each example's loss in nats, summed over its tokens."""

    step: int
    losses: list[float]
    tokens: list[int]


class Estimate(NamedTuple):
    """Nats a token, with a 95 % interval over examples."""

    nats: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.nats:.4f} ({self.low:.4f} to {self.high:.4f})"


class Validation:
    """What Trainer calls to measure `sequences`."""

    def __init__(self, sequences: PackedSequences, scratch: Path) -> None:
        import numpy as np

        self._scratch = scratch
        self._tokens = sequences.written  # of each example
        ends = np.append(0, self._tokens.cumsum())[sequences.sizes.cumsum()]
        self._in_sequence = np.diff(ends, prepend=0)
        self._losses: list[float] = []

    def token_losses(self, logits: "torch.Tensor", labels: "torch.Tensor") -> "torch.Tensor":
        """Give the losses of a sequence's response tokens, [1, tokens of the longest].

        `logits` are [1, tokens, vocabulary]; from `collate_flattened` those of response tokens
        only. All rows are of one length, as processes exchange them.
        """
        import torch

        targets = labels[:, 1:]
        counted = targets != IGNORE_INDEX
        if logits.shape[1] == labels.shape[1]:
            logits = logits[:, :-1][counted][None]
        targets = targets[counted]
        losses = torch.nn.functional.cross_entropy(logits[0].float(), targets, reduction="none")
        longest = int(self._in_sequence.max())
        return torch.nn.functional.pad(losses, (0, longest - len(losses)))[None]

    def measure(self, prediction: "EvalPrediction") -> dict[str, float]:
        """Give the mean loss over all response tokens held out, in nats, and keep each example's.

        Sequences hold different numbers of tokens, so that Trainer's own mean over batches would
        be another figure than the training loss.
        """
        import numpy as np

        rows: Any = prediction.predictions
        flat = np.concatenate(
            [row[:count] for row, count in zip(rows, self._in_sequence, strict=True)]
        ).astype(float)
        starts = self._tokens.cumsum() - self._tokens
        self._losses = np.add.reduceat(flat, starts).tolist()
        return {"nats": float(flat.mean())}

    def save(self, step: int) -> None:
        """Write what was measured last, after so many steps."""
        (self._scratch / _FOLDER).mkdir(exist_ok=True)
        row = HeldOutLosses(step=step, losses=self._losses, tokens=self._tokens.tolist())
        write_json(self._scratch / _FOLDER / f"{step}.json", row.model_dump())

    def callback(self) -> "TrainerCallback":
        """Make the callback that saves each measurement."""
        from transformers import TrainerCallback

        save = self.save

        class SaveValidation(TrainerCallback):
            """The method that Trainer calls."""

            def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
                if state.is_world_process_zero:
                    save(state.global_step)

        return SaveValidation()


def read_measurements(scratch: Path) -> list[HeldOutLosses]:
    """Read what `save` wrote, in the order of the steps."""
    files = sorted((scratch / _FOLDER).glob("*.json"), key=lambda file: int(file.stem))
    return [HeldOutLosses.model_validate_json(file.read_bytes()) for file in files]


def estimate(measured: HeldOutLosses) -> Estimate:
    """Give the loss over all tokens of the examples, resampled by example (Efron 1979)."""
    return _resample(measured.losses, measured.tokens)


def estimate_change(before: HeldOutLosses, after: HeldOutLosses) -> Estimate:
    """Give how much the loss rose, over the same examples: below 0 is better."""
    rise = [last - first for first, last in zip(before.losses, after.losses, strict=True)]
    return _resample(rise, after.tokens)


def _resample(losses: Sequence[float], tokens: Sequence[int]) -> Estimate:
    import numpy as np

    sums, counts = np.array(losses), np.array(tokens)
    draw = partial(np.random.default_rng(0).integers, len(sums), size=len(sums))
    draws = (draw() for _ in range(_RESAMPLES))
    means = [sums[drawn].sum() / counts[drawn].sum() for drawn in draws]
    low, high = np.quantile(means, (0.025, 0.975))
    return Estimate(float(sums.sum() / counts.sum()), float(low), float(high))


def summarise(measured: Sequence[HeldOutLosses]) -> Mapping[str, float]:
    """Give the loss at the end and before training, and the change, each with its interval."""
    if not measured:
        return {}
    last = measured[-1]
    estimates = {"": estimate(last)}
    if measured[0].step == 0:
        estimates |= {
            "base_": estimate(measured[0]),
            "change_": estimate_change(measured[0], last),
        }
    return {
        f"{name}{part}": round(value, 4)
        for name, each in estimates.items()
        for part, value in zip(("loss", "low", "high"), each, strict=True)
    }
