"""A look at the students before anything runs: their files, and the rows that they learn from."""

from pathlib import Path

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.pipeline.changes import may_run
from alpacare.pipeline.dvc_yaml import dependencies
from alpacare.pipeline.params import Params
from alpacare.pipeline.students import read_students
from alpacare.records.category import Category
from alpacare.records.response import Response
from alpacare.training.rows import RowsSettings, choose_rows
from alpacare.training.student_file import student_file


def check_students(params: Params) -> None:
    """Read every student, and choose its rows where they are here and stay as they are.

    Raises:
        BadInput: a student's file is missing or wrong, or no rows are like it says.
    """
    for name, settings in read_students(params).items():
        rows, file = settings.rows, student_file(name)
        path = _source(params, name, rows)
        if rows.source and not path.exists():
            raise BadInput(
                f"{file}: rows.source: {path}: no such file; bring it in with `make fetch`, "
                "`make import` or `dvc pull`"
            )
        try:
            _try_rows(path, _sorted_by(name), rows)
        except BadInput as error:
            before = _before(params, rows)
            if not (before and may_run(before)):
                raise BadInput(f"{file}: {error}") from None


def _source(params: Params, name: str, rows: RowsSettings) -> Path:
    """Give the file that a student's rows are chosen from, as stage `student_rows` does."""
    if rows.source:
        (imported,) = dependencies("student_rows", "data/imported", student=name)
        return imported / f"{Path(rows.source).name}.jsonl"
    return dependencies("student_rows", f"data/{params.sources.responses}.jsonl", student=name)[0]


def _sorted_by(name: str) -> Path:
    (path,) = dependencies("student_rows", "data/categories/", student=name)
    return path


def _try_rows(path: Path, categories: Path, settings: RowsSettings) -> None:
    """Choose rows; any will do for a student that learns from all of them."""
    where = settings.where.model_dump(exclude_none=True)
    sorted_first = "category" in where and not categories.exists()
    if not (where or settings.take) or not path.exists() or sorted_first:
        return
    groups: dict[str, str | None] = {}
    if "category" in where:
        groups = {row.id: row.category for row in jsonl.read(categories, Category, unique="id")}
    choose_rows(jsonl.read(path, Response, unique="id"), groups, settings)


def _before(params: Params, rows: RowsSettings) -> list[str]:
    """Name the stages that make what rows are chosen from: if one runs, there may be others."""
    before = ["categories"] if rows.where.category is not None else []
    if rows.source is None and params.sources.responses == "responses":
        before.append("responses")
    return before
