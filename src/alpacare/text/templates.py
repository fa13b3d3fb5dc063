"""Prompt templates: text files, filled once, so that text inside a value is never a variable."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alpacare.errors import BadInput
from alpacare.files import read_text


def render_chat(folder: Path, values: Mapping[str, Any]) -> list[dict[str, str]]:
    """Render a prompt folder's `system.txt` and `user.txt` (jinja2) into chat messages.

    Raises:
        BadInput: a file is missing or uses a variable that is not given.
    """
    return [
        {"role": role, "content": _render(folder / f"{role}.txt", values)}
        for role in ("system", "user")
    ]


def _render(path: Path, values: Mapping[str, Any]) -> str:
    from jinja2 import StrictUndefined, TemplateError
    from jinja2.sandbox import SandboxedEnvironment

    text = read_text(path)
    environment = SandboxedEnvironment(undefined=StrictUndefined)
    try:
        return environment.from_string(text).render(values).strip()
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise BadInput(f"{path}: {error}; variables here: {', '.join(values)}") from error
