"""Stage `asked`: another model answers a test set through its API, as generations.

A reference is a folder: prompts/references/NAME/ with settings.yaml (whom to ask, and how),
system.txt and user.txt.
"""

from collections.abc import Sequence
from pathlib import Path

import click

from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.files import write_json
from alpacare.core.settings import check, read_yaml
from alpacare.llm.client import ask
from alpacare.llm.reply import Answer
from alpacare.llm.request import Request
from alpacare.llm.request_settings import AskingSettings
from alpacare.llm.task_requests import make_requests
from alpacare.llm.usage import count_usage
from alpacare.records.generation import Generation, known_reason
from alpacare.records.task import TestTask
from alpacare.records.test_set import read_tests


@click.command(cls=Stage)
@click.argument("prompt", type=FILE)
@click.argument("tests", type=FILE)
@click.argument("out", type=FILE)
@click.option("--run", type=FILE, required=True, help="How the answers came about, as JSON.")
def main(prompt: Path, tests: Path, out: Path, run: Path) -> None:
    """Ask the model that the folder PROMPT names to answer the test set TESTS and write OUT.

    \b
    Example:
      python -m alpacare.stages.asked prompts/references/gpt-4o data/tests/demo.jsonl \\
          data/references/gpt-4o/demo.jsonl --run data/references/gpt-4o/demo.json
    """
    check_files([tests], [out, run])
    tasks = read_tests(tests)
    answers = ask(make_reference_requests(prompt, tasks))
    records = [_record(*pair, prompt.name) for pair in zip(tasks, answers, strict=True)]
    jsonl.write(out, records)
    write_json(run, {"engine": "asked", **count_usage(answers)})
    cut = sum(record.finish_reason == "length" for record in records)
    click.echo(f"{len(records)} answers by '{prompt.name}', {cut} cut off")


def make_reference_requests(prompt: Path, tests: Sequence[TestTask]) -> list[Request]:
    """Put each test task into a reference's prompt.

    Raises:
        BadInput: no such reference, or its settings are wrong.
    """
    path = prompt / "settings.yaml"
    return list(make_requests(tests, check(read_yaml(path), AskingSettings, f"{path}: "), prompt))


def _record(test: TestTask, answer: Answer, generator: str) -> Generation:
    return Generation(
        id=test.id,
        instruction=test.instruction,
        input=test.input,
        output=answer.text.strip(),
        generator=generator,
        finish_reason=known_reason(answer.finish_reason),
        tokens=answer.tokens_out or None,
    )


if __name__ == "__main__":
    main()
