"""Prompt templates: text files, filled once, so that text inside a value is never a variable."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alpacare.errors import BadInput


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

    environment = SandboxedEnvironment(undefined=StrictUndefined)
    try:
        return environment.from_string(read_template(path)).render(values).strip()
    except TemplateError as error:
        raise BadInput(f"{path}: {error}; variables here: {', '.join(values)}") from error


def read_template(path: Path) -> str:
    """Read a prompt file as text."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadInput(f"{path}: no such prompt file") from None
