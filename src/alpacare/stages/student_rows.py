"""Stage `student_rows`: the rows that one student learns from.

Which ones, its file says: `rows` in students/NAME.yaml, laid over `checkpoint.rows`.
"""

from pathlib import Path

import click

from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.errors import BadInput
from alpacare.records.category import Category
from alpacare.records.response import Response
from alpacare.training.rows import choose_rows
from alpacare.training.student_file import read_student


@click.command(cls=Stage)
@click.argument("student", type=FILE)
@click.argument("responses", type=FILE)
@click.argument("out", type=FILE)
@click.option("--imported", type=FILE, required=True, help="Folder of imported rows, by name.")
@click.option("--categories", type=FILE, required=True, help="The category of each row, by id.")
def main(student: Path, responses: Path, out: Path, imported: Path, categories: Path) -> None:
    """Choose the rows of the student in the file STUDENT from RESPONSES and write OUT.

    \b
    Example:
      python -m alpacare.stages.student_rows students/half-rows.yaml data/responses.jsonl \\
          data/student_rows/half-rows.jsonl --imported data/imported \\
          --categories data/categories/none.jsonl
    """
    settings = read_student(student).rows
    source = responses
    if settings.source:
        source = imported / f"{Path(settings.source).name}.jsonl"
    check_files([student, source, categories], [out])
    rows = jsonl.read(source, Response, unique="id")
    if not rows:
        raise BadInput(f"{source}: no rows to learn from")
    groups: dict[str, str | None] = {}
    if settings.where.category is not None:
        groups = {row.id: row.category for row in jsonl.read(categories, Category, unique="id")}
        if not groups:
            raise BadInput(
                f"{student}: rows.where.category: no row has a category; name who sorts them in "
                "`categories` and `sources.categories` of params.yaml"
            )
    try:
        chosen = choose_rows(rows, groups, settings)
    except BadInput as error:
        raise BadInput(f"{student}: {error}") from None
    jsonl.write(out, chosen)
    click.echo(f"{student.stem}: {len(chosen)} of {len(rows)} rows")


if __name__ == "__main__":
    main()
