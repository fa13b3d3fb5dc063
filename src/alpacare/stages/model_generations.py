"""Stage `model_generations`: other models' (or people's) answers to a test set, as generations.

Some are in the test set; paid ones come from models behind an API. Such a model is a folder:
prompts/models/NAME/ with settings.yaml (whom to ask, and how), system.txt and user.txt.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_folder, write_json
from alpacare.core.settings import load
from alpacare.core.texts import counted
from alpacare.llm.client import ask
from alpacare.llm.reply import Answer
from alpacare.llm.task_requests import make_folder_requests
from alpacare.llm.usage import count_usage
from alpacare.records.comparisons import ModelsSettings
from alpacare.records.generation import Generation, read_finish_reason
from alpacare.records.task import TestTask
from alpacare.records.test_set import read_test_set


@click.command(cls=Stage)
@click.argument("tests", type=FILE)
@click.argument("out", type=FILE)
@click.option("--prompts", type=FILE, required=True, help="Folder with a folder a model to ask.")
def main(tests: Path, out: Path, prompts: Path) -> None:
    """Write other models' answers to TESTS to OUT/NAME.jsonl.

    Those of `models.written` are in the test set; those of `models.api` are asked. A test set
    that a written model did not answer gives an empty file, and is not judged.

    \b
    Example:
      python -m alpacare.stages.model_generations data/tests/demo.jsonl \\
          data/model_generations/demo --prompts prompts/models
    """
    check_files([tests], [])
    settings = load("models", ModelsSettings)
    tasks = read_test_set(tests)
    written = {name: written_answers(tasks, name, tests) for name in settings.written}
    asked = _ask_all(tasks, [prompts / name for name in settings.api])
    with atomic_folder(out) as folder:
        for name, answers in written.items():
            _save(folder, name, answers, {"engine": "written"})
        for name, replies in asked.items():
            answers = [_record(*pair, name) for pair in zip(tasks, replies, strict=True)]
            _save(folder, name, answers, {"engine": "api", **count_usage(replies)})


def written_answers(tests: Sequence[TestTask], model: str, path: Path) -> list[Generation]:
    """Give a model's answer to every task, or to none.

    Raises:
        BadInput: it answered some tasks and others not.
    """
    if not any(model in test.answers for test in tests):
        return []
    for test in tests:
        if model not in test.answers:
            known = ", ".join(sorted(test.answers)) or "none"
            raise BadInput(f"{path}: task {test.id} has no answer by '{model}' (has: {known})")
    return [
        Generation(
            id=test.id,
            instruction=test.instruction,
            input=test.input,
            output=test.answers[model],
            generator=model,
            finish_reason="unknown",
        )
        for test in tests
    ]


def _ask_all(tests: Sequence[TestTask], models: Sequence[Path]) -> dict[str, list[Answer]]:
    """Ask all models at once; give each one's answers in the order of the tests."""
    requests = [each for path in models for each in make_folder_requests(path, tests)]
    answers = ask(requests) if requests else []
    size = len(tests)
    return {path.name: answers[n * size : (n + 1) * size] for n, path in enumerate(models)}


def _record(test: TestTask, answer: Answer, generator: str) -> Generation:
    return Generation(
        id=test.id,
        instruction=test.instruction,
        input=test.input,
        output=answer.said.strip(),
        generator=generator,
        finish_reason=read_finish_reason(answer.finish_reason),
        tokens=answer.tokens_out or None,
    )


def _save(folder: Path, name: str, answers: Sequence[Generation], run: dict[str, Any]) -> None:
    jsonl.write(folder / f"{name}.jsonl", answers)
    write_json(folder / f"{name}.json", run)
    cut_off = sum(answer.finish_reason == "length" for answer in answers)
    click.echo(
        f"{counted(len(answers), 'answer')} by '{name}'"
        + (f", {cut_off} cut off" if cut_off else "")
    )


if __name__ == "__main__":
    main()
