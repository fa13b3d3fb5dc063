"""Stage `training_curves`: a checkpoint's history -> loss metrics and plots, kept in Git."""

from pathlib import Path

import click

from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage
from alpacare.core.errors import BadInput
from alpacare.core.files import read_json, write_json
from alpacare.core.settings import load
from alpacare.training.curves import (
    HistoryEntry,
    TrainingCurvesSettings,
    summarise_losses,
    summarise_validation,
    write_plot,
)
from alpacare.training.held_out import HeldOutLosses, estimate, summarise


@click.command(cls=Stage)
@click.argument("checkpoint", type=FILE)
@click.option("--metrics", type=FILE, required=True, help="Loss at start and end, counts: JSON.")
@click.option("--plot", type=FILE, required=True, help="Loss and learning rate by step: CSV.")
@click.option("--validation", type=FILE, help="Loss on held-out examples by step: CSV.")
def main(checkpoint: Path, metrics: Path, plot: Path, validation: Path | None) -> None:
    """Turn history.jsonl and training.json of the folder CHECKPOINT into metrics and plots.

    \b
    Example:
      python -m alpacare.stages.training_curves models/checkpoint/all-rows/0 \\
          --metrics metrics/training_curves/all-rows/0.json \\
          --plot metrics/training_curves/all-rows/0.csv \\
          --validation metrics/validation/all-rows/0.csv
    """
    settings = load("training_curves", TrainingCurvesSettings)
    history = checkpoint / "history.jsonl"
    entries = jsonl.read(history, HistoryEntry)
    if not entries:
        raise BadInput(f"{history}: no training steps")
    recorded = read_json(checkpoint / "training.json").items()
    counts = {key: value for key, value in recorded if isinstance(value, int | float)}
    summary = summarise_losses([entry.loss for entry in entries], settings.window)
    held_out = checkpoint / "validation.jsonl"
    measured = jsonl.read(held_out, HeldOutLosses) if held_out.exists() else []
    figures = summarise_validation(entries)
    if figures:
        figures |= summarise(measured)
    write_json(metrics, {**summary, "validation": figures, "steps": len(entries), **counts})
    trained = ((e.step, round(e.loss, 4), f"{e.learning_rate:.3e}") for e in entries)
    write_plot(plot, ("step", "loss", "learning_rate"), trained)
    if validation:
        losses = ((each.step, round(estimate(each).nats, 4)) for each in measured)
        write_plot(validation, ("step", "loss"), losses)
    click.echo(f"loss {summary['loss_start']} -> {summary['loss_end']} nats a token")


if __name__ == "__main__":
    main()
