"""The result of `alpacare trace` in the terminal: a block for each stage, a line for each fact."""

from pathlib import Path

import click

from alpacare.core.texts import escape_controls
from alpacare.display.html import open_templates
from alpacare.display.text import name_some
from alpacare.evaluation.score_table import percent
from alpacare.lineage.rows import JsonObject

_INDENT = 14
_LINE = 85  # characters after the indent


def print_trace(story: JsonObject) -> None:
    """Print what `trace` gives."""
    templates = open_templates(Path(__file__).parent / "templates").overlay(autoescape=False)
    templates.filters |= {
        "block": _block,
        "escaped": escape_controls,
        "percent": percent,
        "short": _short,
        "some": name_some,
    }
    text = templates.get_template("trace.txt").render(story)
    click.echo("\n".join(line.rstrip() for line in text.split("\n")), nl=False)


def _block(text: str, name: str) -> str:
    """Indent lines, and write a name before the first of them."""
    indented = "".join(f"{'':<{_INDENT}} {line}" for line in text.splitlines(keepends=True))
    return indented and f"{name:<{_INDENT}}{indented[_INDENT:]}"


def _short(text: str, before: str = "", most: int = _LINE) -> str:
    """Shorten a text to one line, with what comes before it."""
    line, most = escape_controls(" ".join(text.split())), most - len(before)
    return before + (line if len(line) <= most else f"{line[: most - 4].rstrip()} ...")
