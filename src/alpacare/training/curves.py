"""A training history as metrics and plots."""

import csv
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from pydantic import Field

from alpacare.core import jsonl
from alpacare.core.files import atomic_file
from alpacare.core.settings import Settings


class TrainingCurvesSettings(Settings):
    """Section `training_curves` of params.yaml."""

    window: int = Field(gt=0)


class HistoryEntry(jsonl.Row):
    """One training step: mean loss over its response tokens, in nats.

    `validation_loss`: the same over all tokens held out, on steps after which it was measured.
    """

    step: int
    epoch: float
    loss: float = Field(ge=0, allow_inf_nan=False)
    learning_rate: float
    validation_loss: float | None = Field(default=None, ge=0, allow_inf_nan=False)


def summarise_losses(losses: Sequence[float], window: int) -> dict[str, Any]:
    """Compare the mean loss of the first and the last `window` steps (fewer if the run is short).

    `loss_fell` says whether training ended clearly lower, by at least a tenth.
    """
    window = min(window, max(1, len(losses) // 2))
    start, end = fmean(losses[:window]), fmean(losses[-window:])
    return {
        "loss_start": round(start, 4),
        "loss_end": round(end, 4),
        "loss_ratio": round(end / start, 4) if start else None,
        "loss_fell": end < 0.9 * start,
    }


def summarise_validation(entries: Sequence[HistoryEntry]) -> dict[str, Any] | None:
    """Loss and perplexity (its exponential) at the end of the run, and where the loss was lowest.

    A lowest loss before the end says that the student began to overfit.
    """
    measured = [(e.validation_loss, e.epoch) for e in entries if e.validation_loss is not None]
    if not measured:
        return None
    (lowest, epoch), (last, _) = min(measured), measured[-1]
    return {
        "loss": round(last, 4),
        "perplexity": round(math.exp(last), 4),
        "lowest_loss": round(lowest, 4),
        "lowest_at_epoch": epoch,
    }


def write_plot(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file, one line a step; DVC shows no plot for a file without lines."""
    with atomic_file(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
