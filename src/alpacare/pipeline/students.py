"""The students that params.yaml names, checked together with it."""

from collections.abc import Iterable
from pathlib import Path

from alpacare.compute.pinned_model import RANDOM
from alpacare.core.errors import BadInput
from alpacare.pipeline.params import Params
from alpacare.training.settings import CheckpointSettings
from alpacare.training.student_file import read_student, student_file


def read_students(params: Params, names: Iterable[str] = ()) -> dict[str, CheckpointSettings]:
    """Read the settings of students by their names; without names, of all in params.yaml.

    Raises:
        BadInput: no such file, an unknown key, or settings that do not fit together.
    """
    students = {}
    for name in names or params.students:
        path = student_file(name)
        students[name] = settings = read_student(path)
        check_student(path, settings, params)
    return students


def check_student(path: Path, settings: CheckpointSettings, params: Params) -> None:
    """Check a student's settings against the rest of params.yaml.

    Raises:
        BadInput: they do not fit together.
    """
    if settings.base == RANDOM and not params.base_model.make:
        raise BadInput(f"{path}: base: random needs base_model.make: true in params.yaml")
    try:
        settings.check_context(params.base_model)
    except ValueError as error:
        raise BadInput(f"{path}: {error}") from None
    if settings.rows.where.category is not None and params.sources.categories == "none":
        raise BadInput(
            f"{path}: rows.where.category: nobody sorts the rows; name who does in `categories` "
            "and in `sources.categories` of params.yaml"
        )
