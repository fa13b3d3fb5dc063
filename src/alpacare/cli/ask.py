"""`alpacare ask` and `served-name`: try a trained student, serve it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from alpacare.cli.names import STUDENT
from alpacare.core.command import FILE, Stage

if TYPE_CHECKING:
    from alpacare.pipeline.params import Params


@click.command(cls=Stage)
@click.argument("student", type=STUDENT)
@click.argument("question", required=False)
@click.option("--input", "text", default="", help="What the question is about, such as a note.")
@click.option("--seed", type=int, help="Its training seed; by default the first of training_seeds.")
@click.option("--serve", is_flag=True, help="Print how a server would serve it.")
def ask(student: str, question: str | None, text: str, seed: int | None, serve: bool) -> None:
    """Ask a trained student, and its base, a QUESTION.

    Both answer as in the pipeline: with the student's prompt, by section `generations`.

    \b
    Examples:
      alpacare ask all-rows "How is a fever measured?"
      alpacare ask all-rows --serve
    """
    from alpacare.compute.pinned_model import find_model
    from alpacare.compute.pretrained import ModelSource
    from alpacare.core.errors import BadInput
    from alpacare.core.texts import escape_controls, shows_nothing
    from alpacare.generation.one_question import answer_question
    from alpacare.pipeline import paths
    from alpacare.pipeline.dvc_yaml import dependencies
    from alpacare.pipeline.params import Run, read_params
    from alpacare.prompting.student_prompt import StudentPrompt
    from alpacare.stages.server_generations import served_name
    from alpacare.training.student_file import read_student, student_file

    settings, params = read_student(student_file(student)), read_params()
    first = params.training_seeds[0] if seed is None else seed
    checkpoint = paths.checkpoint(Run(student, first))
    if not (checkpoint / "config.json").exists():
        raise BadInput(
            f"{student}, seed {first}: not trained here; run "
            f"{_training(params, student, first)}, or `make pull` if others have trained it"
        )
    name = served_name(checkpoint)
    if serve:
        click.echo(
            f"vllm serve {checkpoint} --served-model-name {name} --generation-config vllm\n"
            f"ln -s {checkpoint} {name} && transformers serve {name}"
        )
        return
    if question is None or shows_nothing(question):
        raise BadInput("QUESTION: nothing is asked; write it in quotes, or --serve")
    prompt = StudentPrompt.read(checkpoint / "prompt")
    base_model = dependencies("checkpoint", "models/")[0]
    base = find_model(settings.base, settings.revision, base_model)
    for who, source in (
        (student, ModelSource(str(checkpoint))),
        ("its base", ModelSource(base.model, base.revision)),
    ):
        answer = answer_question(source, prompt, (question, text), who)
        cut = " (cut off by max_new_tokens)" if answer.finish_reason == "length" else ""
        click.echo(f"{who}{cut}:\n{escape_controls(answer.output)}\n")


def _training(params: "Params", student: str, seed: int) -> str:
    """Give the commands that train a student with a seed: params.yaml must name both."""
    edits = []
    if student not in params.students:
        edits.append(f"students='[{', '.join([*params.students, student])}]'")
    if seed not in params.training_seeds:
        edits.append(f"training_seeds='{[*params.training_seeds, seed]}'")
    first = f"`alpacare set {' '.join(edits)}`, then " if edits else ""
    return f"{first}`make train STUDENT={student} SEED={seed}`"


@click.command("served-name", cls=Stage)
@click.argument("checkpoint", type=FILE)
def name_checkpoint(checkpoint: Path) -> None:
    """Print the name under which a server must serve CHECKPOINT.

    It holds the checkpoint's hash.

    \b
    Example:
      vllm serve models/checkpoint \\
          --served-model-name $(alpacare served-name models/checkpoint)
    """
    from alpacare.stages.server_generations import served_name

    click.echo(served_name(checkpoint))
