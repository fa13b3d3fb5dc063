"""Settings that outputs say they were made with, compared with those in dvc.lock."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alpacare.core.files import read_json
from alpacare.core.settings import check
from alpacare.pipeline import paths
from alpacare.pipeline.params import Run
from alpacare.pipeline.presets import flatten
from alpacare.publishing.freshness import OutOfDate, RecordedOutputs
from alpacare.training.settings import CheckpointSettings, folder_name
from alpacare.training.student_file import overlay, student_file


def check_training(file: Path, training: Mapping[str, Any], recorded: RecordedOutputs) -> None:
    """Compare training.json with what dvc.lock says: the student's file, over `checkpoint`.

    Raises:
        OutOfDate: they differ, so the weights were not made as the commit says.
    """
    folder = str(file.parent)
    shared = recorded.settings(folder).get("checkpoint")
    if shared is None:
        return
    own = recorded.settings(folder, str(student_file(training["student"])))
    made = check(
        overlay(shared, own), CheckpointSettings, f"dvc.lock: {recorded.made_by(folder)}: "
    )
    settings = flatten(made.model_dump())
    if training.get("base_sha256"):  # the folder's name is given for its path
        settings["base"] = folder_name(settings["base"])
    _compare(file, recorded.made_by(folder), flatten(training["settings"]), settings)


def check_answers(test: str, run: Run, recorded: RecordedOutputs) -> None:
    """Compare how a test set was answered, where that is here, with what dvc.lock says of it.

    Raises:
        OutOfDate: they differ.
    """
    file = paths.generations(test, run).with_suffix(".json")
    if not file.exists():  # a clone without data: Git has the scores
        return
    name = str(file)
    recorded.check(name)
    settings = recorded.settings(name).get("generations", {})
    made_with = {key: value for key, value in read_json(file).items() if key in settings}
    _compare(file, recorded.made_by(name), made_with, {key: settings[key] for key in made_with})


def again(stage: str) -> str:
    """Say how one stage runs again, alone."""
    return f"run `dvc repro --single-item --force {stage}`"


def _compare(
    file: Path, stage: str, made_with: Mapping[str, Any], recorded: Mapping[str, Any]
) -> None:
    for key, value in recorded.items():
        if made_with.get(key) != value:
            raise OutOfDate(
                f"{file}: made with {key} {made_with.get(key)}, but dvc.lock says {value}: the "
                f"settings changed while the stage ran; {again(stage)}"
            )
