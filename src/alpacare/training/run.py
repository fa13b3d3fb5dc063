"""One training of one student: what shapes its weights, and the scratch folder named by that."""

from pathlib import Path
from typing import Any, NamedTuple

from alpacare.compute.machine import versions
from alpacare.compute.pinned_model import PinnedModel, find_model
from alpacare.compute.scratch import fingerprint, hash_code, hash_files, hash_model
from alpacare.core.settings import load
from alpacare.prompting import chat_template, student_prompt, templates
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records import message, response
from alpacare.training.checkpoints import FINISHED
from alpacare.training.hardware import Hardware, read_hardware
from alpacare.training.settings import CheckpointSettings, TrainingSettings
from alpacare.training.student_file import read_student

_TOKENS = (chat_template, student_prompt, templates, message, response)  # what makes them of rows


class TrainingRun(NamedTuple):
    """What a training starts from, and the scratch folder that is named by it.

    `data` and `weights`: the hashes of the rows and of the base model. `folder`: all runs from this
    start, whatever the versions of Python and its packages; none goes on with another's checkpoint.
    """

    settings: CheckpointSettings
    training: TrainingSettings
    template: StudentPrompt
    config: Path
    machine: Hardware
    base: PinnedModel
    seed: int
    data: str
    weights: str | None
    folder: Path

    @property
    def scratch(self) -> Path:
        """Give the scratch folder of the versions that are here."""
        return self.folder.with_name(f"{self.folder.name}-{fingerprint(versions(''))[:8]}")


def find_run(
    student: Path, rows: Path, out: Path, seed: int, base_model: Path, prompt: Path, hardware: Path
) -> TrainingRun:
    """Read what a training starts from, and do not look at this machine; arguments as the stage's.

    Raises:
        BadInput: the student, the prompt, the base or the hardware's file cannot be read.
    """
    settings = read_student(student)
    training = load("training", TrainingSettings)
    template = StudentPrompt.choose(settings.prompt, prompt)
    config = hardware / f"{training.hardware}.yaml"
    machine = read_hardware(config)
    base = find_model(settings.base, settings.revision, base_model)
    files = {"data": hash_files(rows), "prompt": hash_files(prompt), "hardware": config.read_text()}
    weights = hash_model(base.model, base.revision)
    folder = out.parent / ".scratch" / name_run(settings, seed, files, weights)
    return TrainingRun(
        settings, training, template, config, machine, base, seed, files["data"], weights, folder
    )


def name_run(
    settings: CheckpointSettings, seed: int, files: dict[str, str], base: str | None
) -> str:
    """Name a run by all that shapes its weights: hashes of its inputs, and of the base model."""
    parts: dict[str, Any] = {
        "settings": settings.model_dump(exclude={"rows"}),
        "seed": seed,
        "base": base,
        "code": [hash_code(__file__), hash_files(*(Path(str(m.__file__)) for m in _TOKENS))],
    }
    return fingerprint({**parts, **files})


def find_finished(folder: Path) -> Path | None:
    """Find what a training left that is done, and only has to be moved to its place."""
    return min(folder.parent.glob(f"{folder.name}-*/{FINISHED}"), default=None)
