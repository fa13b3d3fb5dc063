"""The files of presets/, written into params.yaml: values change, comments and layout stay."""

import io
import json
import re
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_file, read_text
from alpacare.core.settings import check, new_name, read_yaml
from alpacare.pipeline.params import Params

PARAMS = Path("params.yaml")
FOLDER = Path("presets")
DEMO = "demo"
_COMMENTS = 34  # their column in params.yaml; one that a long value has moved comes back to it


def describe_presets() -> Iterator[str]:
    """Describe each preset by its first lines: what it is, what it costs, what it runs on.

    Raises:
        BadInput: a preset that cannot be read.
    """
    for path in sorted(FOLDER.glob("*.yaml")):
        head = read_text(path).split("\n\n")[0]
        yield f"{path.stem}\n  {head.splitlines()[0].removeprefix('# ')}"
        buys = re.search(r"^#   likely (\S+), at most (\S+)$", head, re.MULTILINE)
        if buys:
            yield f"  answers to buy: likely {buys[1]}, at most {buys[2]}"
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
    read_yaml(PARAMS)  # says what is wrong with the file itself
    yaml = _yaml()
    document = yaml.load(read_text(PARAMS))
    changes = [line for key, value in values.items() if (line := _set(document, key, value))]
    stream = io.StringIO()
    yaml.dump(document, stream)
    text = stream.getvalue()
    check(YAML(typ="safe", pure=True).load(text), Params, f"{who} over {PARAMS}: ")
    if changes:
        with atomic_file(PARAMS) as file:
            file.write(text)
    return changes


def _yaml() -> YAML:
    """Give a reader and writer that keeps comments, quotes and 2.0e-3, and writes null as such."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096  # never break a line
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.representer.add_representer(
        type(None), lambda dumper, _: dumper.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    return yaml


def _read(name: str, known: Container[str] | None = None) -> dict[str, Any]:
    """Read a preset as {"checkpoint.lora": ...}; only `known` keys may be in it."""
    names = sorted(path.stem for path in FOLDER.glob("*.yaml"))
    if name not in names:
        raise BadInput(f"no preset '{name}' in {FOLDER}/; there are: {', '.join(names)}")
    path = FOLDER / f"{name}.yaml"
    read_yaml(path)
    values = flatten(_yaml().load(read_text(path)), known or ())
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


def _set(document: Any, key: str, value: Any) -> str | None:
    """Set one key of params.yaml and say what changed, if anything did."""
    *path, last = key.split(".")
    section = document
    for part in path:
        section = section.get(part) if isinstance(section, CommentedMap) else None
    if not isinstance(section, CommentedMap) or last not in section:
        raise BadInput(f"{PARAMS}: '{key}' is missing, and presets set it")
    old = section[last]
    if old == value:
        return None
    section[last] = value
    comment = section.ca.items.get(last, [None, None, None])[2]
    if comment is not None:
        comment.column = _COMMENTS
    shown = [json.dumps(each, ensure_ascii=False) for each in (old, value)]
    return f"{key}: {' -> '.join(shown)}"
