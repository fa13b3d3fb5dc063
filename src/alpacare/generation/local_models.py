"""A model that answers on this machine beside the student: which, and how it is prompted."""

from pathlib import Path

from pydantic import model_validator

from alpacare.compute.pinned_model import check_pinned
from alpacare.core.settings import Settings, check, read_yaml
from alpacare.prompting.student_prompt import Form


class LocalSettings(Settings):
    """A model by folder, or by Hub id and commit, and how it is prompted."""

    model: str
    revision: str | None
    prompt: Form

    @model_validator(mode="after")
    def _pinned(self) -> "LocalSettings":
        check_pinned(self.model, self.revision)
        return self


def read_local(reference: Path) -> LocalSettings:
    """Read which model a reference is.

    Raises:
        BadInput: no such reference, or its settings are wrong.
    """
    path = reference / "settings.yaml"
    return check(read_yaml(path), LocalSettings, f"{path}: ")
