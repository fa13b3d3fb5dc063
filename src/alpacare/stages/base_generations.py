"""Stage `base_generations`: the student as it was before training answers the same test set.

It shows whether training helped. It answers by the same rules as the trained student, so it reads
the settings of `generations`; on this machine, also where a server answers for the student.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from alpacare.compute.scratch import hash_model
from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_folder, read_json
from alpacare.core.settings import check, load
from alpacare.generation.answering import generate_answers
from alpacare.generation.model import ModelSource, load_tokenizer
from alpacare.generation.settings import GenerationsSettings
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.comparisons import BASE
from alpacare.records.test_set import read_test_set
from alpacare.training.settings import RANDOM, CheckpointSettings, StudentSettings
from alpacare.training.student import load_base

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@click.command(cls=Stage)
@click.argument("checkpoint", type=FILE)
@click.argument("tests", type=FILE)
@click.argument("out", type=FILE)
@click.option("--run", type=FILE, required=True, help="How the answers came about, as JSON.")
def main(checkpoint: Path, tests: Path, out: Path, run: Path) -> None:
    """Answer the test set TESTS with the model that CHECKPOINT was trained from and write OUT.

    A run that was stopped, or killed, goes on where it was with the same command.

    \b
    Example:
      python -m alpacare.stages.base_generations models/checkpoint data/tests/demo.jsonl \\
          data/base_generations/demo.jsonl --run data/base_generations/demo.json
    """
    check_files([tests], [out, run])
    settings = load("generations", GenerationsSettings)
    tasks = read_test_set(tests)
    prompt = StudentPrompt.read(checkpoint / "prompt")
    student = read_student(checkpoint / "training.json")
    scratch = out.parent / ".scratch" / out.stem
    made = scratch.with_name(f"{out.stem}-random")
    source = find_source(student, load_tokenizer(ModelSource(str(checkpoint))), made)
    answers = generate_answers(source, prompt, tasks, settings, BASE, scratch)
    click.echo(answers.save(out, run))


def read_student(training: Path) -> StudentSettings:
    """Read what a student was trained from; where a base folder is, params.yaml says.

    Raises:
        BadInput: the folder there holds another model than the one that was trained.
    """
    trained_with = read_json(training)
    student = trained_with.get("settings", {}).get("student")
    if digest := trained_with.get("base_sha256"):
        base = load("checkpoint", CheckpointSettings).student.base
        if hash_model(base, None) != digest:
            raise BadInput(
                f"params.yaml: checkpoint.student.base: '{base}' does not hold the files that "
                f"{training.parent} was trained from; name their folder, or run "
                "`dvc repro checkpoint`"
            )
        student = {**student, "base": base}
    return check(student, StudentSettings, f"{training}: student.")


def find_source(
    student: StudentSettings, tokenizer: "PreTrainedTokenizerBase", made: Path
) -> ModelSource:
    """Give the student before training; one made from nothing is made again, in folder `made`."""
    if student.base != RANDOM:
        return ModelSource(student.base, student.revision)
    with atomic_folder(made) as folder:
        load_base(student, tokenizer).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return ModelSource(str(made))


if __name__ == "__main__":
    main()
