"""Stage `base_model`: a tokenizer and first weights for students with base `random`.

They are made once for all students and training seeds, from all rows that there are.
"""

from pathlib import Path

import click

from alpacare.compute.determinism import make_deterministic
from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage
from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_folder
from alpacare.core.settings import load
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.response import Response
from alpacare.training.base_model import save_base_model
from alpacare.training.settings import BaseModelSettings


@click.command(cls=Stage)
@click.argument("responses", type=FILE)
@click.argument("out", type=FILE)
@click.option("--prompt", type=FILE, required=True, help="Folder with the student's templates.")
def main(responses: Path, out: Path, prompt: Path) -> None:
    """Train a tokenizer on RESPONSES, draw a LLaMA's weights, and write the folder OUT.

    \b
    Example:
      python -m alpacare.stages.base_model data/responses.jsonl models/base_model \\
          --prompt prompts/student
    """
    settings = load("base_model", BaseModelSettings)
    if out.is_file():
        raise BadInput(f"{out}: is a file; name a folder to write")
    template = StudentPrompt.choose("alpaca", prompt)
    rows = jsonl.read(responses, Response, unique="id")
    if not rows:
        raise BadInput(f"{responses}: no responses to make a tokenizer of")
    if not settings.make:
        with atomic_folder(out) as folder:
            (folder / "README.md").write_text("No base model: base_model.make is false.\n")
        click.echo("no base model is made: base_model.make is false")
        return
    make_deterministic(settings.seed, 1)
    with atomic_folder(out) as folder:
        save_base_model(folder, rows, template, settings)
        size = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    click.echo(f"a base model of {size / 4e6:.2f} million parameters, from {len(rows)} rows")


if __name__ == "__main__":
    main()
