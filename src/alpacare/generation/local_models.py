"""Models that answer on this machine beside the students: prompts/local_models/NAME."""

from pathlib import Path
from typing import NamedTuple

from alpacare.compute.pinned_model import find_model
from alpacare.compute.pretrained import ModelSource
from alpacare.core.errors import BadInput
from alpacare.generation.model import load_tokenizer
from alpacare.generation.settings import read_local_model
from alpacare.prompting.student_prompt import StudentPrompt


class LocalModel(NamedTuple):
    """A model's name in params.yaml, where its files are, and how it is asked."""

    name: str
    source: ModelSource
    form: StudentPrompt


def find_local_model(folder: Path, base_model: Path, prompt: Path) -> LocalModel:
    """Read which model a folder names, and check all of it but its weights' values.

    `base_model`: what model `random` stands for; `prompt`: the folder with the student's templates.

    Raises:
        BadInput: the settings are wrong, or the model cannot answer.
    """
    settings = read_local_model(folder)
    found = find_model(settings.model, settings.revision, base_model)
    source = ModelSource(found.model, found.revision)
    form = StudentPrompt.choose(settings.prompt, prompt)
    try:
        form.render(load_tokenizer(source), "Which bone is the longest?", "")
    except BadInput as error:
        raise BadInput(f"{folder / 'settings.yaml'}: {error}") from error
    return LocalModel(folder.name, source, form)
