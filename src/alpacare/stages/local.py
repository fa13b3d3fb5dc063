"""Stage `local`: another model answers a test set on this machine, by the student's rules.

A reference is a folder: prompts/references/NAME/ with settings.yaml, which names the model. Form
`alpaca` takes the student's templates, `chat` the model's own.
"""

from pathlib import Path

import click

from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.settings import load
from alpacare.generation.answering import answer_tests
from alpacare.generation.local_models import read_local
from alpacare.generation.model import Source
from alpacare.generation.settings import GenerationsSettings
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.test_set import read_tests


@click.command(cls=Stage)
@click.argument("reference", type=FILE)
@click.argument("tests", type=FILE)
@click.argument("out", type=FILE)
@click.option("--prompt", type=FILE, required=True, help="Folder with the student's templates.")
@click.option("--run", type=FILE, required=True, help="How the answers came about, as JSON.")
def main(reference: Path, tests: Path, out: Path, prompt: Path, run: Path) -> None:
    """Answer the test set TESTS with the model that the folder REFERENCE names and write OUT.

    A run that was stopped, or killed, goes on where it was with the same command.

    \b
    Example:
      python -m alpacare.stages.local prompts/references/qwen data/tests/demo.jsonl \\
          data/references/qwen/demo.jsonl --prompt prompts/student \\
          --run data/references/qwen/demo.json
    """
    check_files([tests], [out, run])
    settings = load("generations", GenerationsSettings)
    chosen = read_local(reference)
    tasks = read_tests(tests)
    source = Source(chosen.model, chosen.revision)
    form = StudentPrompt.choose(chosen.prompt, prompt)
    answers = answer_tests(source, form, tasks, settings, reference.name, out)
    click.echo(answers.save(out, run))


if __name__ == "__main__":
    main()
