"""A student's base by the commit that the Hub has today, where its file names none yet."""

import os

from alpacare.core.errors import BadInput
from alpacare.core.settings import read_yaml
from alpacare.datasets.downloads import explain_hub
from alpacare.pipeline.edit_settings import Edit, edit_settings
from alpacare.training.student_file import student_file


def pin_student(name: str) -> list[str]:
    """Ask the Hub for the base's commit, and write it into students/NAME.yaml; give the edit.

    Only the base's name is sent. A model behind a licence wants HF_TOKEN in the environment.

    Raises:
        BadInput: no such student, one with a commit, or without a base of the Hub; or the Hub
            does not answer.
    """
    from huggingface_hub import HfApi

    path = student_file(name)
    own = read_yaml(path)
    base, revision = own.get("base"), own.get("revision")
    if not isinstance(base, str) or "/" not in base or revision is not None:
        raise BadInput(f"{path}: a base of the Hub, and revision: null, are wanted here")
    try:
        commit = HfApi(endpoint=os.environ.get("HF_ENDPOINT")).model_info(base, timeout=30).sha
    except Exception as error:  # of httpx, of the Hub's library, of its offline mode
        raise BadInput(f"{path}: base: {base}: {explain_hub(error)}") from error
    return edit_settings([Edit(path, "revision", commit)])
