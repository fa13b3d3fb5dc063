"""Settings edited in params.yaml and students/: checked as a whole first, then written.

Values change, comments and layout stay.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_file
from alpacare.core.settings import check, parse_yaml, read_yaml
from alpacare.pipeline.params import Params
from alpacare.pipeline.students import check_student
from alpacare.pipeline.yaml_values import change_values, parse_value
from alpacare.training.settings import CheckpointSettings
from alpacare.training.student_file import FOLDER as STUDENTS
from alpacare.training.student_file import overlay, student_file

PARAMS = Path("params.yaml")


class Edit(NamedTuple):
    """A key of a file, such as checkpoint.lora, and its new value."""

    path: Path
    key: str
    value: Any


def read_edit(text: str) -> Edit:
    """Read KEY=VALUE, or students/NAME.yaml:KEY=VALUE; the value is YAML.

    Raises:
        BadInput: of another form, another file than these, or no such student.
    """
    name, equals, value = text.partition("=")
    file, _, key = name.rpartition(":")
    if not equals or not key:
        raise BadInput(f"'{name}': expected KEY=VALUE, such as checkpoint.lora=null")
    path = Path(file or PARAMS)
    if path.parent == STUDENTS and path.suffix == ".yaml":
        path = student_file(path.stem)
    elif path != PARAMS:
        raise BadInput(f"'{file}': neither {PARAMS} nor a student, such as {STUDENTS}/NAME.yaml")
    return Edit(path, key, parse_value(value, key))


def edit_settings(edits: Sequence[Edit], who: str = "") -> list[str]:
    """Write edits into their files; give one line a changed key, `key: old -> new`.

    A key that its file lacks is added. `who`, if any, opens errors of the settings as a whole.

    Raises:
        BadInput: an unknown key, or settings that do not fit together as a whole; all files are as
            they were.
    """
    files = {edit.path: read_yaml(edit.path) for edit in edits}  # says what is wrong with one
    files.setdefault(PARAMS, read_yaml(PARAMS))
    shared = read_yaml(PARAMS).get("checkpoint")
    changed: dict[Path, list[str]] = {}
    lines = []
    for edit in edits:
        below = shared if edit.path.parent == STUDENTS else None
        if line := _put(files[edit.path], edit, below):
            changed.setdefault(edit.path, []).append(edit.key)
            lines.append(line)
    _check_all(files, f"{who} over " if who else "")
    texts = {path: _change(path, keys, files[path]) for path, keys in changed.items()}
    with ExitStack() as stack:
        for path, text in texts.items():
            stack.enter_context(atomic_file(path)).write(text)
    return lines


def _change(path: Path, keys: Sequence[str], wanted: Any) -> str:
    text = path.read_bytes().decode("utf-8-sig")  # with the line ends that it has
    text = change_values(text, keys, wanted, str(path))
    parse_yaml(text, str(path))  # it holds no key of a vendor
    return text


def _put(document: Any, edit: Edit, below: Any) -> str | None:
    """Set one key of a document, and say what changed, if anything did.

    `below`: what a key has that the document lacks.
    """
    *path, last = edit.key.split(".")
    for part in path:
        below = below.get(part) if isinstance(below, Mapping) else None
        if document.get(part) is None:
            document[part] = {}
        document = document[part]
        if not isinstance(document, dict):
            raise BadInput(f"{edit.path}: {edit.key}: '{part}' is a value, and has no keys")
    known = last in document
    old = document[last] if known else below.get(last) if isinstance(below, Mapping) else None
    document[last] = edit.value
    if known and old == edit.value:
        return None
    shown = [json.dumps(each, ensure_ascii=False, default=str) for each in (old, edit.value)]
    where = "" if edit.path == PARAMS else f"{edit.path}:"
    return f"{where}{edit.key}: {' -> '.join(shown)}"


def _check_all(files: Mapping[Path, Any], over: str) -> None:
    """Check params.yaml, the students that it names, and those that are edited."""
    params = check(files[PARAMS], Params, f"{over}{PARAMS}: ")
    named = [student_file(name) for name in params.students]
    edited = [path for path in files if path.parent == STUDENTS]
    for path in dict.fromkeys([*named, *edited]):
        own = files[path] if path in files else read_yaml(path)
        merged = overlay(files[PARAMS]["checkpoint"], own)
        check_student(path, check(merged, CheckpointSettings, f"{over}{path}: "), params)
