"""A look at the students before anything runs: their files, and the rows that they learn from."""

from pathlib import Path

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.filtering.contamination_gate import read_test_sets
from alpacare.pipeline.changes import may_run
from alpacare.pipeline.dvc_yaml import command_option, dependencies
from alpacare.pipeline.params import Params
from alpacare.pipeline.students import read_students
from alpacare.records.response import Response
from alpacare.training.rows import (
    RowsSettings,
    imported_file,
    match_rows,
    read_categories,
    read_targets,
    source_file,
)
from alpacare.training.student_file import student_file


def check_students(params: Params) -> None:
    """Read every student, and choose its rows where they are here and stay as they are.

    Raises:
        BadInput: a student's file is missing or wrong, or no rows are like it says.
    """
    for name, settings in read_students(params).items():
        rows, file = settings.rows, student_file(name)
        path = source_of(params, name, rows)
        if rows.source and not path.exists():
            raise BadInput(
                f"{file}: rows.source: {path}: no such file; bring it in with `make fetch`, "
                "`make import` or `alpacare pull`"
            )
        if rows.target:
            check_target(rows.target, str(file))
        try:
            _try_rows(path, categories_file(name), rows)
        except BadInput as error:
            before = _before(params, rows)
            if not (before and may_run(before)):
                raise BadInput(f"{file}: {error}") from None


def source_of(params: Params, name: str, rows: RowsSettings) -> Path:
    """Give the file that a student's rows are chosen from, as stage `student_rows` does."""
    folder = f"data/{params.sources.responses}.jsonl"
    responses = dependencies("student_rows", folder, student=name)[0]
    return source_file(rows, responses, command_option("student_rows", "--imported"))


def check_target(target: str, who: str) -> None:
    """See that the file of target texts is here, and is no test set; errors begin with `who`.

    Raises:
        BadInput: it is not here, has no texts, or test tasks.
    """
    path = imported_file(target, command_option("student_rows", "--imported"))
    if not path.exists():
        raise BadInput(
            f"{who}: rows.target: {path}: no such file; bring it in with `alpacare import "
            "instructions`, or `alpacare pull`"
        )
    try:
        read_targets(path, read_test_sets([command_option("student_rows", "--test-set")]))
    except BadInput as error:
        raise BadInput(f"{who}: {error}") from None


def categories_file(name: str) -> Path:
    """Give the file with the category of each row."""
    (path,) = dependencies("student_rows", "data/categories/", student=name)
    return path


def _try_rows(path: Path, categories: Path, settings: RowsSettings) -> None:
    """See that there are such rows; any will do for a student that learns from all of them."""
    where = settings.where.model_dump(exclude_none=True)
    sorted_first = "category" in where and not categories.exists()
    if not (where or settings.take) or not path.exists() or sorted_first:
        return
    rows = jsonl.read(path, Response, unique="id")
    match_rows(rows, read_categories(categories, settings), settings)


def _before(params: Params, rows: RowsSettings) -> list[str]:
    """Name the stages that make what rows are chosen from: if one runs, there may be others."""
    before = ["categories"] if rows.where.category is not None else []
    if rows.source is None and params.sources.answers == "responses":
        before.append("responses")
    if rows.source is None and params.sources.verifier:
        before.append("verified")
    return before
