"""Prompt templates: text files, filled once, so that text inside a value is never a variable."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpacare.core.errors import BadInput
from alpacare.core.files import read_text

if TYPE_CHECKING:
    from jinja2 import Template


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
    from jinja2 import TemplateError

    text = read_text(path)
    try:
        return _compile(text).render(values).strip()
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise BadInput(f"{path}: {error}; variables here: {', '.join(values)}") from error


@cache
def _compile(text: str) -> "Template":
    """Compile a template once, not once a row."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    return SandboxedEnvironment(undefined=StrictUndefined).from_string(text)
