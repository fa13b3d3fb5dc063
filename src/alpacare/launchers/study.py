"""What of a study is missing: trainings that dvc.lock lacks, and those that wait to be sealed."""

import shlex
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

from alpacare.pipeline.changes import cells_to_run
from alpacare.pipeline.dvc_yaml import command
from alpacare.pipeline.params import Run
from alpacare.pipeline.sources import cell
from alpacare.stages.checkpoint import main as checkpoint
from alpacare.training.run import find_finished, find_run

STAGE = "checkpoint"


class Task(NamedTuple):
    """One training: its command in a job, and its scratch folder without the versions there."""

    run: Run
    command: str
    scratch: Path

    @property
    def name(self) -> str:
        """Give its name in logs."""
        return f"{self.run.student}-{self.run.seed}"

    @property
    def finished(self) -> bool:
        """Whether it is trained, and only has to be moved to its place."""
        return find_finished(self.scratch) is not None


def targets_before(runs: Iterable[Run]) -> list[str]:
    """Give the targets for `dvc repro` that these trainings start from."""
    students = dict.fromkeys(run.student for run in runs)
    return [*(f"student_rows@{name}" for name in students), "base_model"]


def missing_tasks(runs: Iterable[Run]) -> list[Task]:
    """Give those of the trainings that `dvc repro` would run, once what is before them has run.

    Raises:
        BadInput: a student or its base cannot be read.
    """
    missing = cells_to_run(STAGE)
    return [make_task(run) for run in runs if cell(STAGE, run) in missing]


def make_task(run: Run) -> Task:
    """Read dvc.yaml's command of a training, and find its scratch folder as it is named now."""
    words = command(STAGE, student=run.student, seed=str(run.seed))
    arguments = words[words.index("-m") + 2 :]
    given = dict(checkpoint.make_context(STAGE, [*arguments]).params)
    del given["train_in"]
    scratch = find_run(**given).folder
    return Task(run, shlex.join([*words, "--train-in", str(scratch)]), scratch)


def seal_targets(runs: Collection[Run]) -> list[str]:
    """Give the targets for `dvc repro` that move what is trained to its place, and look at it."""
    return [cell(stage, run) for stage in (STAGE, "training_curves") for run in runs]
