"""Stage `verified_counts`: what a verifier found, and how far it can be trusted, as metrics."""

from pathlib import Path
from typing import Any

import click

from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.errors import BadInput
from alpacare.core.files import read_json, write_json
from alpacare.core.texts import counted
from alpacare.records.answer_check import AnswerCheck
from alpacare.verification.accuracy import describe_accuracy, measure_accuracy

_USED = ("calls", "tokens_in", "tokens_out", "without_token_counts", "dollars", "models")


@click.command(cls=Stage)
@click.argument("checks", type=FILE)
@click.argument("run", type=FILE)
@click.argument("out", type=FILE)
def main(checks: Path, run: Path, out: Path) -> None:
    """Count the findings in CHECKS, add what RUN says of their making, and write OUT.

    \b
    Example:
      python -m alpacare.stages.verified_counts data/checks/verified/gpt-4o.jsonl \\
          data/verified/gpt-4o.json metrics/verified_counts/gpt-4o.json
    """
    check_files([checks, run], [out])
    how: Any = read_json(run)
    if not isinstance(how, dict) or not {"action", *_USED} <= how.keys():
        raise BadInput(f"{run}: does not say how it was checked; is it the file beside the rows?")
    told = {"action": how["action"], **measure_accuracy(jsonl.read(checks, AnswerCheck))}
    write_json(out, told | {key: how[key] for key in _USED})
    rows = told["answers"]
    click.echo(
        f"{counted(rows['n'], 'answer')}: {rows['right']} right, {rows['wrong']} wrong, "
        f"{rows['unreadable']} unreadable"
    )
    if sentence := describe_accuracy(told):
        click.echo(sentence)


if __name__ == "__main__":
    main()
