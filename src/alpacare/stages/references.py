"""Stage `references`: one other model's (or person's) answers to a test set, as generations."""

from collections.abc import Sequence
from pathlib import Path

import click

from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.errors import BadInput
from alpacare.core.files import write_json
from alpacare.records.generation import Generation
from alpacare.records.task import TestTask
from alpacare.records.test_set import read_tests


@click.command(cls=Stage)
@click.argument("tests", type=FILE)
@click.argument("out", type=FILE)
@click.option("--reference", required=True, help="Whose answers, by their name in the test set.")
@click.option("--run", type=FILE, required=True, help="How the answers came about, as JSON.")
def main(tests: Path, out: Path, reference: str, run: Path) -> None:
    """Take one reference's answers out of the test set TESTS and write OUT.

    A test set that the reference did not answer gives an empty file, and is not judged.

    \b
    Example:
      python -m alpacare.stages.references --reference terse data/tests/demo.jsonl \\
          data/references/terse/demo.jsonl --run data/references/terse/demo.json
    """
    check_files([tests], [out, run])
    answers = take(read_tests(tests), reference, tests)
    jsonl.write(out, answers)
    write_json(run, {"engine": "written"})
    click.echo(f"{len(answers)} answers by '{reference}'")


def take(tests: Sequence[TestTask], reference: str, path: Path) -> list[Generation]:
    """Give the reference's answer to every task, or to none.

    Raises:
        BadInput: it answered some tasks and others not.
    """
    if not any(reference in test.answers for test in tests):
        return []
    for test in tests:
        if reference not in test.answers:
            known = ", ".join(sorted(test.answers)) or "none"
            raise BadInput(f"{path}: task {test.id} has no answer by '{reference}' (has: {known})")
    return [
        Generation(
            id=test.id,
            instruction=test.instruction,
            input=test.input,
            output=test.answers[reference],
            generator=reference,
            finish_reason="unknown",
        )
        for test in tests
    ]


if __name__ == "__main__":
    main()
