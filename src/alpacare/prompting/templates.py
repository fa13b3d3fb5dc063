"""Prompt templates: text files filled in one pass, so that text in a value is never a variable."""

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
    from jinja2 import TemplateError

    messages = []
    for role in ("system", "user"):
        path = folder / f"{role}.txt"
        text = read_text(path)
        try:
            content = _compile(text).render(values).strip()
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            raise BadInput(f"{path}: {error}; variables here: {', '.join(values)}") from error
        messages.append({"role": role, "content": content})
    return messages


@cache
def _compile(text: str) -> "Template":
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    return SandboxedEnvironment(undefined=StrictUndefined).from_string(text)
