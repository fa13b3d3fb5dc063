"""The result of `alpacare trace` in the terminal: a block for each stage, a line for each fact."""

from pathlib import Path

import click

from alpacare.core.texts import escape_controls
from alpacare.display.html import open_templates
from alpacare.display.text import WIDTH, name_some, wrapped
from alpacare.evaluation.score_table import percent
from alpacare.lineage.rows import JsonObject

_INDENT = 14
_LINE = WIDTH - _INDENT - 1  # columns after the indent


def print_trace(story: JsonObject) -> None:
    """Print what `trace` gives."""
    templates = open_templates(Path(__file__).parent / "templates").overlay(autoescape=False)
    templates.filters |= {
        "block": _block,
        "escaped": escape_controls,
        "percent": percent,
        "short": _short,
        "some": name_some,
        "wrapped": wrapped,
    }
    text = templates.get_template("trace.txt").render(story)
    click.echo("\n".join(line.rstrip() for line in text.split("\n")), nl=False)


def _block(text: str, name: str) -> str:
    """Indent lines, break those that are too long, and write a name before the first of them."""
    lines = (f"{'' if n else name:<{_INDENT}} {line}" for n, line in enumerate(text.splitlines()))
    return "".join(f"{wrapped(line, ' ' * (_INDENT + 3))}\n" for line in lines)


def _short(text: str, before: str = "", most: int = _LINE) -> str:
    """Shorten a text to one line, with what comes before it; `most` columns of a terminal."""
    from rich.cells import cell_len, set_cell_size

    line, most = escape_controls(" ".join(text.split())), most - len(before)
    short = line if cell_len(line) <= most else f"{set_cell_size(line, most - 4).rstrip()} ..."
    return before + short
