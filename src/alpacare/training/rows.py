"""Which rows a student learns from: `checkpoint.rows` in params.yaml or a student file."""

import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, Protocol, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.names import NAME
from alpacare.core.settings import Settings
from alpacare.prompting.student_prompt import Form
from alpacare.records.category import Category
from alpacare.records.message import SEVERAL_TURNS, count_turns
from alpacare.records.response import Response
from alpacare.records.task import AnyTask, same_task_key

Categories = Mapping[str, str | None]  # by id
_Imported = Annotated[str, StringConstraints(pattern=rf"^imported/{NAME}$")]
_WORTHLESS = "rows chosen to be near a test make its results worthless"
_FIELDS = ("type", "topic", "view", "difficulty", "checked")


class WhereSettings(Settings):
    """What a row must be like: a field's value, or one of several; no field: any row."""

    type: str | list[str] | None = None
    topic: str | list[str] | None = None
    view: str | list[str] | None = None
    difficulty: int | list[int] | None = None
    category: str | list[str] | None = None
    checked: str | list[str] | None = None


class RowsSettings(Settings):
    """Which rows: from where, which of them, and how many.

    `source`: None for what `sources.responses` names, or imported/NAME. `target`: imported/NAME,
    the texts that rows are to be near to; with a default, so that no student without it is trained
    again.
    """

    source: _Imported | None
    where: WhereSettings
    take: int | None = Field(gt=0)
    choose: Literal["all", "random", "longest", "nearest"]
    target: _Imported | None = None
    seed: int

    @field_validator("target", mode="before")
    @classmethod
    def _no_test_set(cls, target: object) -> object:
        if isinstance(target, str) and "tests" in Path(target).parts:
            raise ValueError(
                f"{target} is a test set; {_WORTHLESS}; import other texts, and name imported/NAME"
            )
        return target

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.choose == "all") != (self.take is None):
            raise ValueError(
                "take, choose: with choose: random, longest or nearest, and only then, take: N"
            )
        if (self.choose == "nearest") != (self.target is not None):
            raise ValueError(
                "target, choose: with choose: nearest, and only then, target: imported/NAME"
            )
        return self


def untrainable(row: Response, prompt: Form) -> str | None:
    """Give the drop reason of a row that a student cannot be trained on; None of any other.

    Of the two forms of its prompt, `alpaca` holds one question.
    """
    return SEVERAL_TURNS if prompt == "alpaca" and count_turns(row.messages) > 1 else None


def source_file(settings: RowsSettings, responses: Path, imported: Path) -> Path:
    """Give the file that rows are chosen from: `responses`, or one in the folder `imported`."""
    return imported_file(settings.source, imported) if settings.source else responses


def imported_file(name: str, imported: Path) -> Path:
    """Give the file in the folder `imported` that is named as imported/NAME."""
    return imported / f"{Path(name).name}.jsonl"


def read_categories(path: Path, settings: RowsSettings) -> Categories:
    """Read each row's category; nothing where no row is chosen by it.

    Raises:
        BadInput: no row has one.
    """
    if settings.where.category is None:
        return {}
    found = {row.id: row.category for row in jsonl.read(path, Category, unique="id")}
    if not found:
        raise BadInput(
            "rows.where.category: no row has a category; name who sorts them in `categories` and "
            "`sources.categories` of params.yaml"
        )
    return found


class _Question(Protocol):
    """A row of any kind that has a question."""

    @property
    def instruction(self) -> str: ...
    @property
    def input(self) -> str: ...


def question_text(row: _Question) -> str:
    """Give the text of a row that `nearest` compares."""
    return f"{row.instruction}\n{row.input}"


def read_targets(path: Path, tests: Iterable[_Question]) -> list[str]:
    """Read the texts that rows are to be near to; `tests` are the tasks of all test sets.

    Raises:
        BadInput: there are none, or one is a test task.
    """
    targets = jsonl.read(path, AnyTask, unique="id")
    if not targets:
        raise BadInput(f"rows.target: {path}: no texts")
    known = {same_task_key(test.instruction, test.input) for test in tests}
    found = [each.id for each in targets if same_task_key(each.instruction, each.input) in known]
    if found:
        raise BadInput(
            f"rows.target: {path}: {len(found)} of {len(targets)} are test tasks, the first is "
            f"{found[0]}; {_WORTHLESS}"
        )
    return [question_text(each) for each in targets]


def match_rows(
    rows: Sequence[Response], categories: Categories, settings: RowsSettings
) -> list[Response]:
    """Give the rows that may be chosen.

    Raises:
        BadInput: no row is like that, or fewer than `take`.
    """
    found = [row for row in rows if _matches(row, categories, settings.where)]
    if not found:
        wanted = settings.where.model_dump(exclude_none=True)
        hint = _hint(rows, categories, settings.where)
        raise BadInput(f"rows.where: none of {len(rows)} rows has {wanted}{hint}")
    if settings.take and len(found) < settings.take:
        raise BadInput(f"rows.take: {settings.take} rows are wanted, and there are {len(found)}")
    return found


def choose_rows(
    rows: Sequence[Response], settings: RowsSettings, nearness: Sequence[float] = ()
) -> list[Response]:
    """Choose from rows that match, and leave them in their order.

    A random choice is the same for the same rows and seed. Longest: by characters of the answer
    (as in Zhao et al. 2024, arXiv 2402.04833, which takes the 1,000 longest). Nearest: by
    `nearness`, one a row. Of equals the first.
    """
    if settings.take is None:
        return list(rows)
    if settings.choose == "random":
        places = random.Random(settings.seed).sample(range(len(rows)), settings.take)
        return [rows[place] for place in sorted(places)]
    values = nearness if settings.choose == "nearest" else [len(row.output) for row in rows]
    best = sorted(range(len(rows)), key=lambda place: -values[place])[: settings.take]
    return [rows[place] for place in sorted(best)]


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
