"""Stage `base`: the student as it was before training answers the same test set.

The yardstick that shows whether training helped. It answers by the same rules as the trained
student, so it reads the settings of `generations`.
"""

from pathlib import Path

import click

from alpacare import jsonl
from alpacare.command import FILE, Stage
from alpacare.determinism import make_deterministic
from alpacare.files import read_json
from alpacare.generation.answers import GenerationsSettings, answer_tests, load_tokenizer
from alpacare.progress import quiet_libraries
from alpacare.settings import check, load
from alpacare.testsets import read_tests
from alpacare.text.student_prompt import StudentPrompt
from alpacare.training.student import StudentSettings, load_base


@click.command(cls=Stage)
@click.argument("checkpoint", type=FILE)
@click.argument("tests", type=FILE)
@click.argument("out", type=FILE)
def main(checkpoint: Path, tests: Path, out: Path) -> None:
    """Answer the test set TESTS with the model that CHECKPOINT was trained from and write OUT.

    \b
    Example:
      python -m alpacare.stages.base models/checkpoint data/tests/demo.jsonl \\
          data/references/base/demo.jsonl
    """
    settings = load("generations", GenerationsSettings)
    tasks = read_tests(tests)
    tokenizer = load_tokenizer(checkpoint)
    training = checkpoint / "training.json"
    trained_with = read_json(training).get("settings", {})
    make_deterministic(0, settings.threads)
    quiet_libraries()
    model = load_base(
        check(trained_with.get("student"), StudentSettings, f"{training}: student."), tokenizer
    )
    prompt = StudentPrompt.read(checkpoint / "prompt")
    answers = answer_tests(model, tokenizer, prompt, tasks, settings, "base")
    jsonl.write(out, answers)
    click.echo(f"{len(answers)} answers by the untrained student")


if __name__ == "__main__":
    main()
