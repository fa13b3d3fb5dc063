"""Names that become stage names and file names, and names that others may read."""

import re
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field, StringConstraints

# DVC takes a "/" for a path. A dot, as in gpt-3.5-turbo, is allowed: in the cells of a matrix, in
# paths and in targets on the command line.
NAME = "[A-Za-z0-9][A-Za-z0-9._-]*"
N = TypeVar("N", str, int)
Slug = Annotated[str, StringConstraints(pattern=f"^{NAME}$")]


def refuse_repeated(names: list[N]) -> list[N]:
    """Give the names (or numbers) back.

    Raises:
        ValueError: one occurs twice.
    """
    if len(set(names)) < len(names):
        raise ValueError(f"'{max(names, key=names.count)}' stands twice in {names}")
    return names


def public_name(name: str) -> str:
    """Give the last part of a path on some machine, whose folders may name a person.

    Any other name is given as it is: a model of the Hub is ORG/NAME.
    """
    if not re.match(r"[/~\\]|\.{1,2}[/\\]|[A-Za-z]:[/\\]|file:", name):
        return name
    return re.split(r"[/\\]+", name.rstrip("/\\"))[-1]


Names = Annotated[list[Slug], AfterValidator(refuse_repeated)]
Slugs = Annotated[Names, Field(min_length=1)]
