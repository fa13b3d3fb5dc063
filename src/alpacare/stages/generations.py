"""Stage `generations`: the trained student answers one held-out test set."""

from pathlib import Path

import click

from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.settings import load
from alpacare.generation.answering import answer_tests
from alpacare.generation.model import Source
from alpacare.generation.server import answer_by_server
from alpacare.generation.settings import GenerationsSettings
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.test_set import read_tests


@click.command(cls=Stage)
@click.argument("checkpoint", type=FILE)
@click.argument("tests", type=FILE)
@click.argument("out", type=FILE)
@click.option("--run", type=FILE, required=True, help="How the answers came about, as JSON.")
def main(checkpoint: Path, tests: Path, out: Path, run: Path) -> None:
    """Answer the test set TESTS with the model in CHECKPOINT and write OUT.

    A run that was stopped, or killed, goes on where it was with the same command.

    \b
    Example:
      python -m alpacare.stages.generations models/checkpoint data/tests/demo.jsonl \\
          data/generations/demo.jsonl --run data/generations/demo.json
    """
    check_files([tests], [out, run])
    settings = load("generations", GenerationsSettings)
    tasks = read_tests(tests)
    prompt = StudentPrompt.read(checkpoint / "prompt")
    if settings.engine == "server":
        answers = answer_by_server(checkpoint, prompt, tasks, settings)
    else:
        source = Source(str(checkpoint))
        answers = answer_tests(source, prompt, tasks, settings, "student", out)
    click.echo(answers.save(out, run))


if __name__ == "__main__":
    main()
