"""How Trainer measures the loss on examples held out, and where each example's is kept."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpacare.core.files import write_json
from alpacare.training.held_out import HeldOutLosses
from alpacare.training.packing import IGNORE_INDEX
from alpacare.training.sequences import PackedSequences

if TYPE_CHECKING:
    import torch
    from transformers import EvalPrediction, TrainerCallback

_FOLDER = "validation"  # in the scratch folder, a file for each measurement


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
