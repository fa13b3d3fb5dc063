"""Stage `responses`: the teacher answers every instruction that is left."""

from collections.abc import Sequence
from pathlib import Path

import click

from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.settings import load
from alpacare.core.texts import counted
from alpacare.llm.client import ask
from alpacare.llm.reply import Answer
from alpacare.llm.task_requests import ResponsesSettings, make_requests
from alpacare.llm.usage import report_usage
from alpacare.records.dropped import Dropped
from alpacare.records.response import Response
from alpacare.records.task import SortedTask


@click.command(cls=Stage)
@click.argument("instructions", type=FILE)
@click.argument("out", type=FILE)
@click.option("--dropped", type=FILE, required=True, help="Instructions without a usable answer.")
@click.option("--usage", type=FILE, required=True, help="Tokens, dollars, model versions, as JSON.")
@click.option("--prompt", type=FILE, required=True, help="Folder with system.txt and user.txt.")
@click.option("--pack", "packs", type=FILE, multiple=True, help="Recorded answers to use.")
def main(
    instructions: Path,
    out: Path,
    dropped: Path,
    usage: Path,
    prompt: Path,
    packs: tuple[Path, ...],
) -> None:
    """Ask the teacher to do each task in INSTRUCTIONS and write task and answer to OUT.

    \b
    Example:
      python -m alpacare.stages.responses data/filtered.jsonl data/responses.jsonl \\
          --dropped data/dropped/responses.jsonl --usage data/usage/responses.json \\
          --prompt prompts/responses
    """
    check_files([instructions], [out, dropped, usage])
    settings = load("responses", ResponsesSettings)
    tasks = jsonl.read(instructions, SortedTask, unique="id")
    answers = ask(make_requests(tasks, settings, prompt), packs)
    kept, lost = join(tasks, answers, settings)
    jsonl.write(out, kept)
    jsonl.write(dropped, lost)
    report_usage(answers, len(kept), lost, usage)
    cut = sum(response.finish_reason == "length" for response in kept)
    thoughts = sum(answer.thoughts for answer in answers)
    freed = f", {thoughts} came with thoughts, which are left out" if thoughts else ""
    responses = counted(len(kept), "response")
    click.echo(f"{responses} ({cut} cut off), {len(lost)} not usable{freed}")


def join(
    tasks: Sequence[SortedTask], answers: Sequence[Answer], settings: ResponsesSettings
) -> tuple[list[Response], list[Dropped]]:
    """Join each task with its answer; a useless one is dropped with the request as witness."""
    kept: list[Response] = []
    lost: list[Dropped] = []
    for task, answer in zip(tasks, answers, strict=True):
        output = answer.text.strip()
        if reason := _fault(answer, output, task, settings):
            lost.append(Dropped(id=task.id, stage="responses", reason=reason, witness=answer.key))
            continue
        kept.append(
            Response(
                id=task.id,
                instruction=task.instruction,
                input=task.input,
                output=output,
                finish_reason=answer.finish_reason,
                model=answer.model,
                request=answer.key,
                **task.model_dump(include={"type", "topic", "view", "difficulty"}),
            )
        )
    return kept, lost


def _fault(answer: Answer, output: str, task: SortedTask, settings: ResponsesSettings) -> str:
    """Name what is wrong with an answer; "" if nothing is."""
    if answer.finish_reason == "content_filter":
        return "content_filter"
    if answer.refusal:  # it is no answer to learn, nor is what came beside it
        return "refused"
    if not output:
        return "empty"
    repeated = output.casefold().split() == task.input.casefold().split()
    return "input_equals_output" if settings.input_equals_output and repeated else ""


if __name__ == "__main__":
    main()
