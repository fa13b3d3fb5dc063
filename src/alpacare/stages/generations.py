"""Stage `generations`: the trained student answers one held-out test set."""

from pathlib import Path

import click

from alpacare import jsonl
from alpacare.command import FILE, Stage
from alpacare.determinism import make_deterministic
from alpacare.generation.answers import (
    GenerationsSettings,
    answer_tests,
    load_model,
    load_tokenizer,
)
from alpacare.progress import quiet_libraries
from alpacare.settings import load
from alpacare.testsets import read_tests
from alpacare.text.student_prompt import StudentPrompt


@click.command(cls=Stage)
@click.argument("checkpoint", type=FILE)
@click.argument("tests", type=FILE)
@click.argument("out", type=FILE)
def main(checkpoint: Path, tests: Path, out: Path) -> None:
    """Answer the test set TESTS with the model in CHECKPOINT and write OUT.

    \b
    Example:
      python -m alpacare.stages.generations models/checkpoint data/tests/demo.jsonl \\
          data/generations/demo.jsonl
    """
    settings = load("generations", GenerationsSettings)
    tasks = read_tests(tests)
    tokenizer = load_tokenizer(checkpoint)
    make_deterministic(0, settings.threads)
    quiet_libraries()
    model = load_model(checkpoint)
    prompt = StudentPrompt.read(checkpoint / "prompt")
    answers = answer_tests(model, tokenizer, prompt, tasks, settings, "student")
    jsonl.write(out, answers)
    cut = sum(answer.finish_reason == "length" for answer in answers)
    click.echo(f"{len(answers)} answers, {cut} cut off at {settings.max_new_tokens} tokens")


if __name__ == "__main__":
    main()
