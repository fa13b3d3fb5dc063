"""Stage `curves`: a checkpoint's training history -> loss metrics and plots, kept in Git."""

import csv
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import click
from pydantic import Field

from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage
from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_file, read_json, write_json
from alpacare.core.settings import Settings, load


class CurvesSettings(Settings):
    """Section `curves` of params.yaml."""

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


@click.command(cls=Stage)
@click.argument("history", type=FILE)
@click.argument("training", type=FILE)
@click.option("--metrics", type=FILE, required=True, help="Loss at start and end, counts: JSON.")
@click.option("--plot", type=FILE, required=True, help="Loss and learning rate by step: CSV.")
@click.option("--validation", type=FILE, help="Loss on held-out examples by step: CSV.")
def main(history: Path, training: Path, metrics: Path, plot: Path, validation: Path | None) -> None:
    """Turn HISTORY (JSON Lines) and TRAINING (JSON) into metrics and plots.

    \b
    Example:
      python -m alpacare.stages.curves models/checkpoint/history.jsonl \\
          models/checkpoint/training.json --metrics metrics/curves.json \\
          --plot metrics/curves.csv --validation metrics/validation.csv
    """
    settings = load("curves", CurvesSettings)
    entries = jsonl.read(history, HistoryEntry)
    if not entries:
        raise BadInput(f"{history}: no training steps")
    told = read_json(training).items()
    counts = {key: value for key, value in told if isinstance(value, int | float)}
    summary = summarise([entry.loss for entry in entries], settings.window)
    held_out = summarise_validation(entries)
    write_json(metrics, {**summary, "validation": held_out, "steps": len(entries), **counts})
    trained = ((e.step, round(e.loss, 4), f"{e.learning_rate:.3e}") for e in entries)
    write_plot(plot, ("step", "loss", "learning_rate"), trained)
    if validation:
        losses = ((e.step, e.validation_loss) for e in entries)
        held = ((step, round(loss, 4)) for step, loss in losses if loss is not None)
        write_plot(validation, ("step", "loss"), held)
    click.echo(f"loss {summary['loss_start']} -> {summary['loss_end']} nats a token")


def summarise(losses: Sequence[float], window: int) -> dict[str, Any]:
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

    A lowest loss before the end says that the student began to learn its examples by heart.
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
    """Write a CSV file, one line a step; one without lines is no plot to DVC."""
    with atomic_file(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
