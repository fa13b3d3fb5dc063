"""`alpacare ablate`: a student beside others that learn from fewer of its rows, for as many steps.

An arm is a student file of its own: that of the base, with another choice of rows.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_file, read_json
from alpacare.core.settings import check, read_yaml
from alpacare.core.texts import counted
from alpacare.pipeline import paths
from alpacare.pipeline.edit_settings import PARAMS, Edit, edit_settings
from alpacare.pipeline.params import Params, Run, read_params
from alpacare.pipeline.students_check import categories_file, check_target, source_of
from alpacare.pipeline.yaml_values import round_trip_yaml
from alpacare.records.response import Response
from alpacare.training.rows import RowsSettings, WhereSettings, match_rows, read_categories
from alpacare.training.student_file import FOLDER, overlay, read_student, student_file

_CHOICES = ("random", "longest", "nearest")
_FORMS = (
    "expected random:AMOUNT, longest:AMOUNT or nearest:AMOUNT:imported/NAME, where AMOUNT is half "
    f"or a number; or FIELD:VALUE, where FIELD is {', '.join(WhereSettings.model_fields)}"
)


@dataclass(frozen=True)
class Arm:
    """A student of the ablation: what its file says, and how many rows it learns from."""

    name: str
    document: Mapping[str, Any]
    rows: int

    @property
    def path(self) -> Path:
        """Its file."""
        return FOLDER / f"{self.name}.yaml"


def ablate(base: str, texts: Sequence[str]) -> Iterator[str]:
    """Write a student file for each arm, and name base and arms in params.yaml; say what to do.

    Raises:
        BadInput: an arm that cannot be, other steps for other rows, a file in the way; all files
            are as they were.
    """
    params = read_params()
    rows = _read_rows(params, base)
    _check_steps(params, base, len(rows))
    arms = [_read_arm(params, base, text, rows) for text in texts]
    names = [base, *(arm.name for arm in arms)]
    changes = _write(base, arms, [
        Edit(PARAMS, "students", names), Edit(PARAMS, "judgments.head_to_head", base)
    ])  # fmt: skip
    steps = read_student(student_file(base)).optimizer.max_steps
    counts = {base: len(rows), **{arm.name: arm.rows for arm in arms}}
    yield from changes
    for name, count in counts.items():
        yield f"{FOLDER / name}.yaml: {counted(count, 'row')}, {counted(steps or 0, 'step')}"
    if len(params.training_seeds) == 1:
        yield (
            "one training seed cannot tell a selection from luck; more: "
            "alpacare set 'training_seeds=[0, 1, 2]'"
        )
    yield f"next: make repro; `alpacare leaderboard` then says how far each is from {base}"


def _read_rows(params: Params, base: str) -> list[Response]:
    """Read the rows that the base learns from."""
    file = student_file(base)
    settings = read_student(file).rows
    if settings.choose != "all":
        raise BadInput(
            f"{file}: rows.choose: {settings.choose}: arms learn from fewer rows than their base, "
            "so name a student that learns from all that match"
        )
    path = source_of(params, base, settings)
    if not path.exists():
        raise BadInput(f"{path}: not there yet; run `dvc repro {path}`, or `alpacare pull`")
    try:
        groups = read_categories(categories_file(base), settings)
        return match_rows(jsonl.read(path, Response, unique="id"), groups, settings)
    except BadInput as error:
        raise BadInput(f"{file}: {error}") from None


def _check_steps(params: Params, base: str, rows: int) -> None:
    """Refuse a base without a number of steps: an arm with half of its rows would take half."""
    file = student_file(base)
    optimizer = read_student(file).optimizer
    if optimizer.max_steps:
        return
    curves = paths.training_curves(Run(base, params.training_seeds[0]))
    guess = -(-rows // optimizer.batch_size) * optimizer.epochs
    steps = read_json(curves)["steps"] if curves.exists() else guess
    raise BadInput(
        f"{file}: optimizer.max_steps is null, so a student of half the rows takes half the steps; "
        f"set it first: alpacare set {file}:optimizer.max_steps={steps}"
    )


def _read_arm(params: Params, base: str, text: str, rows: Sequence[Response]) -> Arm:
    """Read what an arm is, such as random:half or category:other, and choose its rows."""
    own = read_yaml(student_file(base))
    document = overlay(own, {"rows": _changed_rows(text, len(rows))})
    shared = read_yaml(PARAMS)["checkpoint"]["rows"]
    settings = check(overlay(shared, document["rows"]), RowsSettings, f"{text}: rows.")
    if settings.where.category is not None and params.sources.categories == "none":
        raise BadInput(f"{text}: nobody sorts the rows; see docs/dataset.md")
    if settings.target:
        check_target(settings.target, text)
    try:
        found = match_rows(rows, read_categories(categories_file(base), settings), settings)
    except BadInput as error:
        raise BadInput(f"{text}: {error}") from None
    if (settings.take or len(found)) >= len(rows):
        raise BadInput(
            f"{text}: that is all {len(rows):,} rows of {base}, and an arm learns from fewer"
        )
    name = re.sub("[^a-z0-9]+", "-", text.lower().replace("imported/", "")).strip("-")
    return Arm(f"{base}-{name}", document, settings.take or len(found))


def _changed_rows(text: str, count: int) -> dict[str, Any]:
    """Give what an arm changes in section `rows` of a base with so many rows."""
    kind, _, rest = text.partition(":")
    if kind in WhereSettings.model_fields and rest:
        return {"where": {kind: int(rest) if kind == "difficulty" and rest.isdecimal() else rest}}
    amount, _, more = rest.partition(":")
    if kind not in _CHOICES or not (amount == "half" or amount.isdecimal()):
        raise BadInput(f"'{text}': {_FORMS}")
    rows = {"take": count // 2 if amount == "half" else int(amount), "choose": kind}
    if kind == "nearest":
        return rows | {"target": more or None}
    if more and not (kind == "random" and more.isdecimal()):
        raise BadInput(f"'{text}': only random has something more: a seed, as in random:half:1")
    return rows | ({"seed": int(more)} if more else {})


def _write(base: str, arms: Sequence[Arm], edits: Sequence[Edit]) -> list[str]:
    """Write the students' files, then the edits; nothing if one of them is refused."""
    for arm in arms:
        if arm.path.exists() and read_yaml(arm.path) != arm.document:
            raise BadInput(f"{arm.path}: is there, and says something else; move it away first")
    fresh = [arm for arm in arms if not arm.path.exists()]
    try:
        for arm in fresh:
            with atomic_file(arm.path) as file:
                file.write(f"# {base} on other rows, made by alpacare ablate.\n{_dump(arm)}")
        return edit_settings(edits)
    except BaseException:
        for arm in fresh:
            arm.path.unlink(missing_ok=True)
        raise


def _dump(arm: Arm) -> str:
    stream = StringIO()
    round_trip_yaml().dump(dict(arm.document), stream)
    return stream.getvalue()
