"""Settings that outputs say they were made with, compared with those in dvc.lock."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.core.files import read_json
from alpacare.pipeline.presets import flatten
from alpacare.publishing.freshness import RecordedOutputs
from alpacare.training.settings import folder_name

_TRAINING = "models/checkpoint/training.json"


def check_training(training: Mapping[str, Any], recorded: Mapping[str, Any] | None) -> None:
    """Compare training.json with section `checkpoint` in dvc.lock; None where that has none.

    Raises:
        BadInput: they differ, so the weights were not made as the commit says.
    """
    if recorded is None:
        return
    settings = flatten(recorded)
    if training.get("base_sha256"):  # the folder's name is given for its path
        settings["student.base"] = folder_name(settings["student.base"])
    _compare(_TRAINING, "checkpoint", flatten(training["settings"]), settings)


def check_answers(test: str, recorded: RecordedOutputs) -> None:
    """Compare how a test set was answered, where that is here, with what dvc.lock says of it.

    Raises:
        BadInput: they differ.
    """
    run = f"data/generations/{test}.json"
    if not Path(run).exists():  # a clone without data: Git has the scores
        return
    recorded.check(run)
    settings = recorded.settings(run).get("generations", {})
    made_with = {key: value for key, value in read_json(Path(run)).items() if key in settings}
    _compare(run, recorded.made_by(run), made_with, {key: settings[key] for key in made_with})


def _compare(
    file: str, stage: str, made_with: Mapping[str, Any], recorded: Mapping[str, Any]
) -> None:
    for key, value in recorded.items():
        if made_with.get(key) != value:
            raise BadInput(
                f"{file}: made with {key} {made_with.get(key)}, but dvc.lock says {value}: "
                "params.yaml changed while the stage ran; run "
                f"`dvc repro --single-item --force {stage}`"
            )
