"""Stage `generations`: a trained student answers one held-out test set."""

from pathlib import Path

import click

from alpacare.compute.pretrained import ModelSource
from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.settings import load
from alpacare.generation.answering import generate_answers, name_student
from alpacare.generation.settings import GenerationsSettings
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.test_set import read_test_set


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
      python -m alpacare.stages.generations models/checkpoint/all-rows/0 data/tests/demo.jsonl \\
          data/generations/demo/all-rows/0.jsonl --run data/generations/demo/all-rows/0.json
    """
    check_files([tests], [out, run])
    settings = load("generations", GenerationsSettings)
    tasks = read_test_set(tests)
    prompt = StudentPrompt.read(checkpoint / "prompt")
    source = ModelSource(str(checkpoint))
    scratch = out.parent / ".scratch" / out.stem
    answers = generate_answers(source, prompt, tasks, settings, name_student(checkpoint), scratch)
    click.echo(answers.save(out, run))


if __name__ == "__main__":
    main()
