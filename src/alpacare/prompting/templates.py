"""Prompt templates in the language of jinja2, for teacher, judges and student alike.

Templates run in a sandbox, a variable that is not given is an error, and values are filled in as
they are: what looks like a variable in them is text.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Any

from alpacare.core.errors import BadInput

if TYPE_CHECKING:
    from jinja2 import Environment, Template, nodes


def render(text: str, values: Mapping[str, Any], place: Path | str) -> str:
    """Fill a template; `place`, such as its file, opens the error.

    Raises:
        BadInput: the template is wrong, or uses a variable that is not given.
    """
    with _explain(place):
        return _compile(text).render(values)


def parse(text: str, place: Path | str) -> "nodes.Template":
    """Give a template's syntax tree; errors as `render`."""
    from jinja2 import meta

    with _explain(place):
        tree = environment().parse(text)
        meta.find_undeclared_variables(tree)  # it finds what else jinja2 would refuse
        return tree


@contextmanager
def _explain(place: Path | str) -> Iterator[None]:
    """Turn what a template can raise, a small program, into one line."""
    from jinja2 import TemplateError

    faults = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, SyntaxError)
    try:
        yield
    except (TemplateError, RecursionError, MemoryError, *faults) as error:
        raise _template_error(error, place) from error


def _template_error(error: Exception, place: Path | str) -> BadInput:
    """Say in a line what is wrong with a template, and in which line of it."""
    from jinja2 import TemplateSyntaxError

    line = error.lineno if isinstance(error, TemplateSyntaxError) else None
    for frame in extract_tb(error.__traceback__):
        line = frame.lineno if frame.filename == "<template>" else line
    where = f"{place}, line {line}" if line else str(place)
    text = " ".join(str(getattr(error, "message", None) or error).split())
    return BadInput(f"{where}: wrong template: {text or type(error).__name__}")


@cache
def environment() -> "Environment":
    """Give what all templates run in: nothing in it depends on chance, so texts are the same."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    sandbox = SandboxedEnvironment(
        undefined=StrictUndefined, keep_trailing_newline=True, finalize=_refuse_function
    )
    del sandbox.filters["random"], sandbox.globals["lipsum"]
    return sandbox


def _refuse_function(value: Any) -> Any:
    """Refuse `input.strip` for `input.strip()`: it would show an address in memory."""
    from jinja2 import Undefined

    if callable(value) and not isinstance(value, Undefined):
        raise TypeError("a function is shown where it should be called; write () after it")
    return value


@cache
def _compile(text: str) -> "Template":
    return environment().from_string(text)
