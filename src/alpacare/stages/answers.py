"""Stage `answers`: how long somebody's answers are, how many cut off, empty or repetitive.

For the student and, as stage `reference_answers`, for those it is compared with: a judge that
meets a reference cut off in mid-sentence says little of the student.
"""

from pathlib import Path
from typing import Any

import click

from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage
from alpacare.core.errors import BadInput
from alpacare.core.files import read_json, write_json
from alpacare.records.generation import Generation
from alpacare.statistics.generations import describe


@click.command(cls=Stage)
@click.argument("answers", type=FILE)
@click.argument("run", type=FILE)
@click.argument("out", type=FILE)
def main(answers: Path, run: Path, out: Path) -> None:
    """Count what ANSWERS look like, add what RUN says of their making, and write OUT.

    \b
    Example:
      python -m alpacare.stages.answers data/generations/demo.jsonl data/generations/demo.json \\
          metrics/answers/demo.json
    """
    how: Any = read_json(run)
    if not isinstance(how, dict) or "engine" not in how:
        raise BadInput(f"{run}: does not say how answers were made; is it the file beside them?")
    summary = describe(jsonl.read(answers, Generation, unique="id"), how)
    write_json(out, summary)
    click.echo(
        f"{summary['answers']} answers, {summary['words']['mean']} words on average, "
        f"{summary['unfinished']} end in mid-sentence, {summary['empty']} empty"
    )


if __name__ == "__main__":
    main()
