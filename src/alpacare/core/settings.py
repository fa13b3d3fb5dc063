"""A stage's settings: its own section of params.yaml, checked against a typed model."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from types import UnionType
from typing import Any, ClassVar, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from alpacare.core.errors import BadInput
from alpacare.core.files import read_text
from alpacare.core.input_state import text_at_start
from alpacare.core.keys import find_key, may_be_key
from alpacare.core.texts import near_names


class Settings(BaseModel):
    """Settings accept only known keys of the right type: '0.7' is not 0.7.

    `renamed`: keys of earlier versions, each with what to write today; the error says so.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)
    renamed: ClassVar[Mapping[str, str]] = {}


S = TypeVar("S", bound=Settings)


def load(section: str, model: type[S], path: Path = Path("params.yaml")) -> S:
    """Read one section of a YAML file as `model`.

    Raises:
        BadInput: no such file or section, an unknown key, a value of the wrong type.
    """
    document = read_yaml(path)
    if section not in document:
        raise BadInput(f"{path}: section '{section}' is missing")
    return check(document[section], model, f"{path}: {section}.")


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML 1.2 file, where 1e-4 is a number as DVC reads it (PyYAML makes it text).

    Raises:
        BadInput: no such file, not YAML, or it holds a key: Git has files of settings.
    """
    text = text_at_start(path)
    if text is None and not path.exists():
        raise BadInput(f"{path}: no such file; run this from the repository's top folder")
    return parse_yaml(read_text(path) if text is None else text, str(path))


def parse_yaml(text: str, path: str) -> dict[str, Any]:
    """Parse the text of a YAML 1.2 file; errors as `read_yaml`."""
    return deepcopy(_parse(text, path))


@lru_cache(maxsize=8)  # params.yaml takes a tenth of a second, and a command reads it many times
def _parse(text: str, path: str) -> dict[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    if found := find_key(text):  # first: an error in YAML quotes the line
        raise BadInput(
            f"{path}:{found[0]}: holds {found[1]}; name the environment variable that has it "
            "instead, and have the key replaced if Git has seen it"
        )
    try:
        document = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise BadInput(f"{path}: not valid YAML: {_problem(error)}") from None
    if not isinstance(document, dict):
        raise BadInput(f"{path}: expected 'key: value' lines")
    return document


_YAML_HINTS = {  # what was expected, for the words of ruamel.yaml
    "mapping values are not allowed": "expected one 'key: value' a line, indented as its "
    "neighbours, and quotes around a value that has ': ' in it",
    "could not find expected ':'": "expected 'key: value'; is a ':' or the blank after it missing?",
    "expected <block end>": "expected a key indented as those above it, or the end of the section",
    "cannot start any token": "expected blanks to indent, and quotes around a value that begins so",
    "unexpected end of stream": "expected a closing quote",
    "or ']'": "expected a list as [one, two], closed in the line that opens it",
    "or '}'": "expected a mapping as {key: value}, closed in the line that opens it",
    "duplicate key": "expected each key once",
    "<document start>": "expected 'key: value'; is a ':' missing in the line before?",
}


def _problem(error: Any) -> str:
    """Describe an error in YAML without the line's text, which may hold a key."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    text = "it cannot be read" if not problem or may_be_key(problem) else str(problem)
    text += next((f"; {hint}" for words, hint in _YAML_HINTS.items() if words in text), "")
    begun = getattr(error, "context_mark", None)
    if mark and begun and begun.line != mark.line:
        text += f"; what it is part of begins in line {begun.line + 1}"
    return f"line {mark.line + 1}, column {mark.column + 1}: {text}" if mark else text


def check(values: Any, model: type[S], place: str) -> S:
    """Check parsed YAML against a model; an error is `place`, the key, and what is wrong."""
    try:
        return model.model_validate({} if values is None else values)
    except ValidationError as error:
        key, text = _explain(error, model)
        # the section as a whole has no key of its own after `place`
        raise BadInput(f"{(place + key).rstrip(': .')}: {text}") from error


def _explain(error: ValidationError, model: type[Settings]) -> tuple[str, str]:
    # a misspelt key is both unknown and missing: the unknown one tells more
    first = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return key, "this key is missing"
    if first["type"] == "model_type":
        return key, f"expected 'key: value' lines below it, found {_shown(first['input'])}"
    if first["type"] == "value_error":  # a rule of ours: its text says all
        return key, str(first["ctx"]["error"])
    if first["type"] != "extra_forbidden":
        return key, f"{first['msg'].lower()}, found {_shown(first['input'])}"
    if new := new_name(model, first["loc"]):
        return key, f"this key has a new name: {new}"
    known = list(_section(model, first["loc"][:-1]).model_fields)
    return key, f"unknown key; {near_names(str(first['loc'][-1]), known, 'known keys')}"


def _shown(value: Any) -> str:
    """Show a value in an error, unless it may be a key in the wrong place."""
    text = repr(value)
    return "a value that may be a key, and is not shown" if may_be_key(text) else text


def new_name(model: type[Settings], path: Sequence[int | str]) -> str | None:
    """Give what to write today for a key of an earlier version; None for any other key."""
    *above, key = path
    try:
        return str(_section(model, above).renamed[str(key)])
    except (KeyError, AttributeError):
        return None


def _section(model: Any, path: Sequence[int | str]) -> Any:
    """Find the model that checks the section at this path; the keys of a mapping are names."""
    for part in path:
        if get_origin(model) is dict:
            model = get_args(model)[1]
        else:
            model = model.model_fields[part].annotation
            if get_origin(model) is UnionType:  # `Section | None`
                model = get_args(model)[0]
    return model
