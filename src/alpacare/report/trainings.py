"""The course of each training: its figures, its loss by step, and what the student is."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from alpacare.compute.pinned_model import RANDOM
from alpacare.pipeline.dvc_yaml import outputs
from alpacare.pipeline.params import Params, Run
from alpacare.report.tables import read_figures, read_table
from alpacare.training.settings import CheckpointSettings

_FIGURES = ("loss_start", "loss_end", "steps")
_CURVE = {"step": int, "loss": float, "learning_rate": float}


@dataclass(frozen=True)
class Training:
    """One training: its figures, and the loss in nats a token by step."""

    run: Run
    figures: dict[str, Any]
    curve: list[tuple[int, float, float]]  # step, loss, learning rate
    validation: list[tuple[int, float]]  # step, loss


def read_trainings(runs: Iterable[Run]) -> list[Training]:
    """Read those that are here.

    Raises:
        BadInput: a file that is not what it should be.
    """
    found = []
    for run in runs:
        item = {"student": run.student, "seed": str(run.seed)}
        files = outputs("training_curves", "metrics/", **item)
        if all(path.exists() for path in files):
            figures, curve, validation = files
            read = read_figures(figures, *_FIGURES)
            held_out = read_table(validation, {"step": int, "loss": float})
            found.append(Training(run, read, read_table(curve, _CURVE), held_out))
    return found


def name_base(student: CheckpointSettings) -> str:
    """Name the model that a student starts from."""
    if student.base == RANDOM:
        return "random weights"
    base = student.public_base
    return f"{base} at {student.revision}" if student.revision else base


def describe_rows(student: CheckpointSettings, params: Params) -> str:
    """Say which rows a student learns from: "longest 1,000 of responses"."""
    rows = student.rows
    source = rows.source or params.sources.responses
    where = rows.where.model_dump(exclude_none=True)
    chosen = ", ".join(f"{key} {value}" for key, value in where.items())
    many = "all" if rows.take is None else f"{rows.choose} {rows.take:,}"
    return f"{many} of {source}{f' ({chosen})' if chosen else ''}"
