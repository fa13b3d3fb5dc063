"""Stage `student_rows`: the rows that one student learns from, none of them a test task.

Which ones, its file says: `rows` in students/NAME.yaml, laid over `checkpoint.rows`. Whatever it
learns from, imports too, passes the contamination gate here; a new test set trains it again only
if a row goes.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.errors import BadInput
from alpacare.core.files import write_json
from alpacare.core.settings import load
from alpacare.core.texts import counted
from alpacare.filtering.contamination_gate import (
    MatchedTask,
    find_contaminated,
    read_test_sets,
)
from alpacare.filtering.nearest import nearest_scores
from alpacare.filtering.settings import ContaminationSettings
from alpacare.filtering.task_texts import TaskRow
from alpacare.prompting.student_prompt import Form
from alpacare.records.dropped import Dropped
from alpacare.records.message import SEVERAL_TURNS
from alpacare.records.response import Response
from alpacare.training.rows import (
    RowsSettings,
    choose_rows,
    imported_file,
    match_rows,
    question_text,
    read_categories,
    read_targets,
    source_file,
    untrainable,
)
from alpacare.training.student_file import read_student

CONTAMINATION = "contamination"
UNREAD = "system_turn_not_read"  # a mark of rows that are kept


@click.command(cls=Stage)
@click.argument("student", type=FILE)
@click.argument("responses", type=FILE)
@click.argument("out", type=FILE)
@click.option("--dropped", type=FILE, required=True, help="Rows left out, with their reason.")
@click.option("--metrics", type=FILE, required=True, help="Counts, as JSON.")
@click.option("--imported", type=FILE, required=True, help="Folder of imported rows, by name.")
@click.option("--categories", type=FILE, required=True, help="The category of each row, by id.")
@click.option(
    "--test-set", "tests", type=FILE, multiple=True, help="Test set, benchmark, or folder."
)
def main(
    student: Path,
    responses: Path,
    out: Path,
    dropped: Path,
    metrics: Path,
    imported: Path,
    categories: Path,
    tests: tuple[Path, ...],
) -> None:
    """Choose the rows of the student in the file STUDENT from RESPONSES and write OUT.

    Section `student_rows` of params.yaml says what happens to rows that match a test task.

    \b
    Example:
      python -m alpacare.stages.student_rows students/half-rows.yaml data/responses.jsonl \\
          data/student_rows/half-rows.jsonl --imported data/imported \\
          --dropped data/dropped/student_rows/half-rows.jsonl \\
          --metrics metrics/student_rows/half-rows.json \\
          --categories data/categories/none.jsonl --test-set data/tests \\
          --test-set data/benchmarks
    """
    whole = read_student(student)
    settings = whole.rows
    gate = load("student_rows", ContaminationSettings)
    source = source_file(settings, responses, imported)
    check_files([student, source, categories], [out, dropped, metrics])
    rows = jsonl.read(source, Response, unique="id")
    unfit = _untrainable(rows, whole.prompt)
    fit = [row for row in rows if row.id not in unfit]
    if not fit:
        raise BadInput(f"{source}: no rows to learn from{_counted(unfit.values())}")
    test_tasks = read_test_sets(tests)
    try:
        found = match_rows(fit, read_categories(categories, settings), settings)
        chosen = choose_rows(found, settings, _nearness(found, settings, imported, test_tasks))
    except BadInput as error:
        raise BadInput(f"{student}: {error}") from None
    found_in_tests = find_contaminated(chosen, rows, test_tasks, gate, "student_rows")
    lost = _lost(found_in_tests, gate)
    kept = [row for row in chosen if row.id not in lost]
    if not kept:
        raise BadInput(
            f"{student}: each of its {len(chosen)} rows matches a test task: none is left"
        )
    jsonl.write(out, kept)
    gone = [*unfit.values(), *lost.values()]
    jsonl.write(dropped, gone)
    counts = {"rows": len(rows), "chosen": len(chosen), "kept": len(kept)}
    reasons = {CONTAMINATION: 0} | Counter(row.reason for row in gone)
    unread = _unread_system_turns(kept, whole.prompt)
    marked = {"marked": {UNREAD: unread}} if unread else {}
    write_json(metrics, counts | {"dropped": reasons} | marked | _reported(found_in_tests, gate))
    told = f", {unread} with a system turn that is not read" if unread else ""
    click.echo(f"{student.stem}: {len(kept)} of {len(rows)} rows{told}{_counted(gone)}")


def _untrainable(rows: Sequence[Response], prompt: Form) -> dict[str, Dropped]:
    """Give the rows that a student with such a prompt cannot be trained on, by id."""
    return {
        row.id: Dropped(id=row.id, stage="student_rows", reason=reason, witness=row.request)
        for row in rows
        if (reason := untrainable(row, prompt))
    }


def _unread_system_turns(rows: Sequence[Response], prompt: Form) -> int:
    """Count the rows whose system turn the prompt has no place for: `alpaca` is a question."""
    turns = (row.messages or () for row in rows if prompt == "alpaca")
    return sum(any(turn.role == "system" for turn in each) for each in turns)


def _counted(rows: Iterable[Dropped]) -> str:
    """Say how many rows are left out, by reason."""
    told = {CONTAMINATION: "matching a test task", SEVERAL_TURNS: "of several turns"}
    counts = Counter(row.reason for row in rows)
    return "".join(f", {n} {told[reason]} left out" for reason, n in counts.items())


def _nearness(
    rows: Sequence[Response], settings: RowsSettings, imported: Path, tests: Sequence[TaskRow]
) -> list[float]:
    """Say how near each row is to the target texts, if some are named."""
    if settings.target is None:
        return []
    targets = read_targets(imported_file(settings.target, imported), tests)
    nearness: list[float] = nearest_scores([question_text(row) for row in rows], targets).tolist()
    return nearness


def _reported(found: Sequence[MatchedTask], settings: ContaminationSettings) -> dict[str, Any]:
    """Say for the metrics which rows stay although they match a test task, and which one."""
    if settings.contamination != "report":
        return {}
    pairs = {each.task.id: each.test.id for each in found}
    return {"matched": len(pairs), "matched_tests": pairs}


def _lost(found: Sequence[MatchedTask], settings: ContaminationSettings) -> dict[str, Dropped]:
    """Give the rows to leave out, by id, each with the test task that it matches."""
    if found and settings.contamination == "report":
        click.secho(
            f"warning: test tasks match {counted(len(found), 'row')}", fg="yellow", err=True
        )
        return {}
    return {
        each.task.id: Dropped(
            id=each.task.id,
            stage="student_rows",
            reason=CONTAMINATION,
            witness=each.test.id,
            score=each.match.score,
        )
        for each in found
    }


if __name__ == "__main__":
    main()
