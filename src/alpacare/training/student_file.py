"""A student is a file: students/NAME.yaml, laid over section `checkpoint` of params.yaml."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.core.settings import check, read_yaml
from alpacare.core.texts import near_names
from alpacare.training.settings import CheckpointSettings

FOLDER = Path("students")
_PARAMS, _SECTION = Path("params.yaml"), "checkpoint"


def student_file(name: str) -> Path:
    """Give a student's file.

    Raises:
        BadInput: there is none.
    """
    path = FOLDER / f"{name}.yaml"
    if not path.exists():
        known = sorted(each.stem for each in FOLDER.glob("*.yaml"))
        raise BadInput(f"students: no file {path}; {near_names(name, known)}")
    return path


def read_student(path: Path) -> CheckpointSettings:
    """Read a student's settings: its file over `checkpoint` in params.yaml.

    Raises:
        BadInput: no such file, an unknown key, or settings that do not fit together.
    """
    shared = read_yaml(_PARAMS).get(_SECTION)
    if not isinstance(shared, dict):
        raise BadInput(f"{_PARAMS}: section '{_SECTION}' is missing")
    check(shared, CheckpointSettings, f"{_PARAMS}: {_SECTION}.")  # whose fault it is
    return check(overlay(shared, read_yaml(path)), CheckpointSettings, f"{path}: ")


def overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one mapping over another: sections merge, any other value replaces."""
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(below.get(key), Mapping)
        merged[key] = overlay(below[key], value) if both else value
    return merged
