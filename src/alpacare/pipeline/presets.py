"""The files of presets/, written into params.yaml: values change, comments and layout stay."""

import json
import re
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_file, read_text
from alpacare.core.settings import check, new_name, read_yaml
from alpacare.pipeline.params import Params
from alpacare.pipeline.yaml_values import replace_values, round_trip_yaml

PARAMS = Path("params.yaml")
FOLDER = Path("presets")
DEMO = "demo"


def describe_presets() -> Iterator[str]:
    """Describe each preset by its first lines: what it is, what it costs, what it runs on.

    Raises:
        BadInput: a preset that cannot be read.
    """
    for path in sorted(FOLDER.glob("*.yaml")):
        head = read_text(path).split("\n\n")[0]
        yield f"{path.stem}\n  {head.splitlines()[0].removeprefix('# ')}"
        if buys := re.search(r"^#   before training (at .+), evaluation (.+)$", head, re.MULTILINE):
            yield f"  answers to buy before training: {buys[1]}"
            yield f"  answers to buy for its whole evaluation {buys[2]}"
        for line in re.findall(r"^#   (\d+ x .*: .* hours)$", head, re.MULTILINE):
            yield f"  training: {line}"


def apply_preset(name: str, base: str | None = None) -> list[str]:
    """Write a preset into params.yaml; give one line a changed key, `key: old -> new`.

    What other presets set goes back to the values of presets/demo.yaml; keys that are in no preset
    stay. `base` replaces the preset's student: a local folder, or a Hub id, "@" and a commit.

    Raises:
        BadInput: no such preset, an unknown key, or settings that do not fit together as a whole;
            params.yaml is as it was.
    """
    demo = _read(DEMO)
    values = demo | _read(name, demo)
    if base is not None:
        revision = None
        if not Path(base).is_dir() and "@" in base:  # enough? the check of all settings says
            base, _, revision = base.rpartition("@")
        values |= {"checkpoint.student.base": base, "checkpoint.student.revision": revision}
    return set_values(values, name)


def set_values(values: Mapping[str, Any], who: str) -> list[str]:
    """Set keys of params.yaml, {"checkpoint.lora": ...}, and leave the rest, comments too.

    `who` opens the error; the lines that come back say what changed.

    Raises:
        BadInput: a key is not there, or settings do not fit together as a whole; params.yaml is as
            it was.
    """
    document = read_yaml(PARAMS)  # says what is wrong with the file itself
    lines = {key: _set(document, key, value) for key, value in values.items()}
    changes = {key: line for key, line in lines.items() if line}
    check(document, Params, f"{who} over {PARAMS}: ")
    text = PARAMS.read_bytes().decode("utf-8-sig")  # with the line ends that it has
    text = replace_values(text, {key: values[key] for key in changes}, document, str(PARAMS))
    if changes:
        with atomic_file(PARAMS) as file:
            file.write(text)
    return list(changes.values())


def _set(document: Any, key: str, value: Any) -> str | None:
    """Set one key of params.yaml and say what changed, if anything did."""
    *path, last = key.split(".")
    for part in path:
        document = document.get(part) if isinstance(document, dict) else None
    if not isinstance(document, dict) or last not in document:
        raise BadInput(f"{PARAMS}: '{key}' is missing, and presets set it")
    old, document[last] = document[last], value
    shown = [json.dumps(each, ensure_ascii=False, default=str) for each in (old, value)]
    return None if old == value else f"{key}: {' -> '.join(shown)}"


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
