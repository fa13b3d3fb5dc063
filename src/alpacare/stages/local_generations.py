"""Stage `local_generations`: other models answer a test set here, by the student's rules.

Such a model is a folder: prompts/local_models/NAME/ with settings.yaml, which names it. Form
`alpaca` takes the student's templates, `chat` the model's own. Model `random` is the base model
that stage `base_model` makes.
"""

from pathlib import Path

import click

from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.files import atomic_folder
from alpacare.core.settings import load
from alpacare.generation.answering import generate_answers
from alpacare.generation.local_models import find_local_model
from alpacare.generation.settings import GenerationsSettings
from alpacare.records.comparisons import ModelsSettings
from alpacare.records.test_set import read_test_set


@click.command(cls=Stage)
@click.argument("tests", type=FILE)
@click.argument("out", type=FILE)
@click.option("--models", type=FILE, required=True, help="Folder with a folder a model.")
@click.option("--base-model", type=FILE, required=True, help="What model `random` stands for.")
@click.option("--prompt", type=FILE, required=True, help="Folder with the student's templates.")
def main(tests: Path, out: Path, models: Path, base_model: Path, prompt: Path) -> None:
    """Answer TESTS with every model in `models.local` and write OUT/NAME.jsonl.

    A run that was stopped, or killed, continues where it was with the same command; a model that
    has answered already is not run again when another one is added.

    \b
    Example:
      python -m alpacare.stages.local_generations data/tests/demo.jsonl \\
          data/local_generations/demo --models prompts/local_models \\
          --base-model models/base_model --prompt prompts/student
    """
    check_files([tests], [])
    names = load("models", ModelsSettings).local
    settings = load("generations", GenerationsSettings)
    tasks = read_test_set(tests)
    found = [find_local_model(models / name, base_model, prompt) for name in names]
    scratch = out.parent / ".scratch" / out.name
    with atomic_folder(out) as folder:
        for name, source, form in found:
            answers = generate_answers(source, form, tasks, settings, name, scratch / name)
            click.echo(f"{name}: {answers.save(folder / f'{name}.jsonl', folder / f'{name}.json')}")


if __name__ == "__main__":
    main()
