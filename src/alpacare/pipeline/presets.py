"""The files of presets/, written into params.yaml."""

import re
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.core.files import read_text
from alpacare.core.settings import new_name, read_yaml
from alpacare.display.text import wrapped
from alpacare.pipeline.edit_settings import PARAMS, Edit, edit_settings
from alpacare.pipeline.params import Params
from alpacare.pipeline.yaml_values import round_trip_yaml
from alpacare.training.student_file import FOLDER as STUDENTS
from alpacare.training.student_file import student_file

LOCAL_MODELS = Path("prompts/local_models")
FOLDER = Path("presets")
DEMO = "demo"


def describe_presets() -> Iterator[str]:
    """Describe each preset by its first lines: what it is, what it costs, what it runs on.

    Raises:
        BadInput: a preset that cannot be read.
    """
    for path in sorted(FOLDER.glob("*.yaml")):
        head = read_text(path).split("\n\n")[0]
        yield path.stem
        yield wrapped(f"  {head.splitlines()[0].removeprefix('# ')}", "  ")
        if buys := re.search(r"^#   before training (at .+), evaluation (.+)$", head, re.MULTILINE):
            yield f"  answers to buy before training: {buys[1]}"
            yield f"  answers to buy for its whole evaluation {buys[2]}"
        for line in re.findall(r"^#   (\d+ x .*: .* hours)$", head, re.MULTILINE):
            yield f"  training: {line}"


def apply_preset(name: str, base: str | None = None) -> list[str]:
    """Write a preset into params.yaml; give one line a changed key, `key: old -> new`.

    What other presets set goes back to the values of presets/demo.yaml; keys that are in no preset
    stay, and so do students/. Only `base` is written there, to the file of the preset's student,
    and to the local model that is the same base: a local folder, or a Hub id, "@" and a commit.

    Raises:
        BadInput: no such preset, an unknown key, several students and a base, or settings that do
            not fit together as a whole; all files are as they were.
    """
    demo = _read(DEMO)
    values = demo | _read(name, demo)
    edits = [Edit(PARAMS, key, value) for key, value in values.items()]
    if base is not None:
        edits += _base_edits(name, values, base)
    return edit_settings(edits, name)


def _base_edits(name: str, values: Mapping[str, Any], base: str) -> list[Edit]:
    """Give the edits that put another base in place of that of a preset's only student."""
    students = {path: read_yaml(path) for path in map(student_file, values["students"])}
    if len(students) != 1:
        raise BadInput(
            f"preset '{name}' has {len(students)} students; set the base of each: "
            f"alpacare set {STUDENTS}/NAME.yaml:base=... {STUDENTS}/NAME.yaml:revision=..."
        )
    revision = None
    if not Path(base).is_dir() and "@" in base:  # enough? the check of all settings says
        base, _, revision = base.rpartition("@")
    ((path, student),) = students.items()
    edits = [Edit(path, "base", base), Edit(path, "revision", revision)]
    for model in values["models.local"]:
        path = LOCAL_MODELS / model / "settings.yaml"
        settings = read_yaml(path)
        if (settings.get("model"), settings.get("revision")) == (
            student.get("base"), student.get("revision"),
        ):  # fmt: skip
            edits += [Edit(path, "model", base), Edit(path, "revision", revision)]
    return edits


def set_values(values: Mapping[str, Any], who: str) -> list[str]:
    """Set keys of params.yaml, {"checkpoint.lora": ...}; as `edit_settings`."""
    return edit_settings([Edit(PARAMS, key, value) for key, value in values.items()], who)


def _read(name: str, known: Container[str] | None = None) -> dict[str, Any]:
    """Read a preset as {"checkpoint.lora": ...}; only `known` keys may be in it."""
    names = sorted(path.stem for path in FOLDER.glob("*.yaml"))
    if name not in names:
        raise BadInput(f"no preset '{name}' in {FOLDER}/; there are: {', '.join(names)}")
    path = FOLDER / f"{name}.yaml"
    read_yaml(path)
    values = flatten(round_trip_yaml().load(read_text(path)), known or ())
    for key in values:
        parts = key.split(".")
        for end in range(1, len(parts) + 1):
            if new := new_name(Params, parts[:end]):
                raise BadInput(f"{path}: {'.'.join(parts[:end])}: this key has a new name: {new}")
        if known is not None and key not in known:
            raise BadInput(
                f"{path}: '{key}' is not in {FOLDER}/{DEMO}.yaml; is it misspelt? if not, add it "
                "there, with the value to go back to"
            )
    return values


def flatten(
    values: Mapping[str, Any], whole: Container[str] = (), above: str = ""
) -> dict[str, Any]:
    """Join the names of nested sections by dots; mappings named in `whole` are values."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{above}{key}"
        if isinstance(value, dict) and value and name not in whole:
            flat |= flatten(value, whole, f"{name}.")
        else:
            flat[name] = value
    return flat
