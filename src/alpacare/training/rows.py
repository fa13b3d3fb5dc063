"""Which rows a student learns from: `checkpoint.rows` in params.yaml or a student file."""

import random
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from alpacare.core.errors import BadInput
from alpacare.core.names import NAME
from alpacare.core.settings import Settings
from alpacare.records.message import SEVERAL_TURNS, count_turns
from alpacare.records.response import Response

Categories = Mapping[str, str | None]  # by id
_FIELDS = ("type", "topic", "view", "difficulty")


class WhereSettings(Settings):
    """What a row must be like: a field's value, or one of several; no field: any row."""

    type: str | list[str] | None = None
    topic: str | list[str] | None = None
    view: str | list[str] | None = None
    difficulty: int | list[int] | None = None
    category: str | list[str] | None = None


class RowsSettings(Settings):
    """Which rows: from where, which of them, and how many.

    `source`: None for what `sources.responses` names, or imported/NAME.
    """

    source: Annotated[str, StringConstraints(pattern=rf"^imported/{NAME}$")] | None
    where: WhereSettings
    take: int | None = Field(gt=0)
    choose: Literal["all", "random", "longest"]
    seed: int

    @model_validator(mode="after")
    def _countable(self) -> Self:
        if (self.choose == "all") != (self.take is None):
            raise ValueError("take, choose: with choose: random or longest, and only then, take: N")
        return self


def untrainable(row: Response) -> str | None:
    """Give the drop reason of a row that no student can be trained on yet; None of any other.

    The student's prompt holds one question.
    """
    return SEVERAL_TURNS if count_turns(row.messages) > 1 else None


def choose_rows(
    rows: Sequence[Response], categories: Categories, settings: RowsSettings
) -> list[Response]:
    """Choose rows, and leave them in their order; those that are `untrainable` are none to choose.

    A random choice is the same for the same rows and seed. Longest: by characters of the answer,
    the first of equals (as in Zhao et al. 2024, arXiv 2402.04833, which takes the 1,000 longest).

    Raises:
        BadInput: no row is like that, or fewer than `take`.
    """
    rows = [row for row in rows if not untrainable(row)]
    found = [row for row in rows if _matches(row, categories, settings.where)]
    if not found:
        wanted = settings.where.model_dump(exclude_none=True)
        hint = _hint(rows, categories, settings.where)
        raise BadInput(f"rows.where: none of {len(rows)} rows has {wanted}{hint}")
    if settings.take is None:
        return found
    if len(found) < settings.take:
        raise BadInput(f"rows.take: {settings.take} rows are wanted, and there are {len(found)}")
    places = _choose(found, settings.take, settings)
    return [found[place] for place in sorted(places)]


def _choose(rows: Sequence[Response], take: int, settings: RowsSettings) -> list[int]:
    if settings.choose == "random":
        return random.Random(settings.seed).sample(range(len(rows)), take)
    return sorted(range(len(rows)), key=lambda place: -len(rows[place].output))[:take]


def _values(row: Response, categories: Categories) -> dict[str, str | int | None]:
    return {**{field: getattr(row, field) for field in _FIELDS}, "category": categories.get(row.id)}


def _matches(row: Response, categories: Categories, where: WhereSettings) -> bool:
    values, wanted = _values(row, categories), where.model_dump(exclude_none=True).items()
    return all(values[key] in (each if isinstance(each, list) else [each]) for key, each in wanted)


def _hint(rows: Sequence[Response], categories: Categories, where: WhereSettings) -> str:
    """Name the values that there are of the first field asked for that no row matches."""
    for field, value in where.model_dump(exclude_none=True).items():
        if any(_matches(row, categories, WhereSettings(**{field: value})) for row in rows):
            continue
        known = sorted({str(_values(row, categories)[field]) for row in rows} - {"None"})
        names = ", ".join(known[:12]) if known else "nothing, as in imported rows"
        return f"; {field} is one of: {names}"
    return ""
