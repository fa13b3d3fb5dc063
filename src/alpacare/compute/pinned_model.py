"""Models by name: a local folder, or a model of the Hugging Face Hub at a commit."""

import re
from pathlib import Path
from typing import ClassVar, Self

from pydantic import model_validator

from alpacare.compute.workers import first_line
from alpacare.core.errors import BadInput
from alpacare.core.settings import Settings

RANDOM = "random"  # the base model that this pipeline makes from nothing
GGUF = (
    "a GGUF file, weights for llama.cpp, mostly quantised; name the model that it was made from, "
    "or convert it: python tools/convert_gguf.py"
)


class PinnedModel(Settings):
    """A model by folder, or by Hub id and commit; where that makes sense, or `random`."""

    may_be_random: ClassVar[bool] = False
    model: str
    revision: str | None

    @model_validator(mode="after")
    def _pinned(self) -> Self:
        if not (self.may_be_random and self.model == RANDOM):
            check_pinned(self.model, self.revision)
        return self


def find_model(name: str, revision: str | None, base_model: Path) -> PinnedModel:
    """Give the model of this name; for `random` the one in the folder `base_model`.

    Raises:
        BadInput: it is not made yet; a folder that is missing is no name on the Hub.
    """
    if name != RANDOM:
        return PinnedModel(model=name, revision=revision)
    if not (base_model / "config.json").exists():
        raise BadInput(f"{base_model}: no model here; run `dvc repro base_model` or `dvc pull`")
    return PinnedModel(model=str(base_model), revision=None)


def explain_loading(error: BaseException) -> str:
    """Say in one line why a model's files cannot be read; its own code is never run."""
    if "trust_remote_code" in str(error):
        return (
            "it needs Python code of its own, which is not run here, as it could do anything; "
            "choose a model of a kind that transformers itself knows"
        )
    return first_line(error)


def check_pinned(name: str, revision: str | None) -> None:
    """Check that a name means the same weights tomorrow; a folder's are known by their bytes.

    Raises:
        ValueError: no such folder, a file, or a Hub model without a commit.
    """
    if Path(name).is_dir() or re.fullmatch("[0-9a-f]{40}", revision or ""):
        return
    if Path(name).is_file():
        is_gguf = Path(name).suffix.lower() == ".gguf"
        what = f"{GGUF} {name} FOLDER" if is_gguf else "a file; name the folder of its model"
        raise ValueError(f"{name} is {what}")
    if name.startswith("models/"):
        raise ValueError(f"'{name}' is not here; `dvc pull {name}` brings it where it was shared")
    if not re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)?", name):  # as no model of the Hub is called
        raise ValueError(f"folder not found: {name}")
    raise ValueError(
        f"'{name}' is no local folder, so it is a Hub model, and needs 'revision', the 40 hex "
        "digits of a commit; for a student `alpacare pin NAME` asks the Hub for it"
    )
