"""Stage `instructions`: the teacher writes new tasks, shown a few seeds at a time.

What cannot be read from a reply goes to the side file with its reason and the request.
"""

from pathlib import Path

import click

from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.settings import load
from alpacare.core.texts import counted
from alpacare.filtering.filter import Filter
from alpacare.filtering.settings import FilteredSettings
from alpacare.instructions.generation_loop import GenerationLoop
from alpacare.instructions.settings import InstructionsSettings
from alpacare.llm.client import ask
from alpacare.llm.reply import Answer
from alpacare.llm.usage import report_usage
from alpacare.records.task import Seed


@click.command(cls=Stage)
@click.argument("seeds", type=FILE)
@click.argument("out", type=FILE)
@click.option("--dropped", type=FILE, required=True, help="What could not be read, with reasons.")
@click.option("--usage", type=FILE, required=True, help="Tokens, dollars, model versions, as JSON.")
@click.option("--prompt", type=FILE, required=True, help="Folder with system.txt and user.txt.")
@click.option("--pack", "packs", type=FILE, multiple=True, help="Recorded answers to use.")
def main(
    seeds: Path, out: Path, dropped: Path, usage: Path, prompt: Path, packs: tuple[Path, ...]
) -> None:
    """Ask the teacher for new tasks like those in SEEDS and write them to OUT.

    With instructions.target_kept it goes on until so many survive the filter, test sets aside: a
    new test set must not make a paid stage run again.

    \b
    Example:
      python -m alpacare.stages.instructions data/seeds.jsonl data/instructions.jsonl \\
          --dropped data/dropped/instructions.jsonl --usage data/usage/instructions.json \\
          --prompt prompts/instructions
    """
    check_files([seeds], [out, dropped, usage])
    settings = load("instructions", InstructionsSettings)
    known = jsonl.read(seeds, Seed, unique="id")
    task_filter = Filter(load("filtered", FilteredSettings), known)
    loop = GenerationLoop(known, settings, prompt, task_filter)
    answers = _ask_all(loop, settings, packs)
    jsonl.write(out, loop.tasks.values())
    jsonl.write(dropped, loop.dropped)
    report_usage(answers, len(loop.tasks), loop.dropped, usage)
    click.echo(
        f"{counted(len(answers), 'reply', 'replies')}: "
        f"{counted(len(loop.tasks), 'instruction')}, {len(loop.dropped)} not usable"
    )


def _ask_all(
    loop: GenerationLoop, settings: InstructionsSettings, packs: tuple[Path, ...]
) -> list[Answer]:
    """Ask round by round; the ledger has each round before the next begins."""
    answers: list[Answer] = []
    while requests := loop.next_requests():
        fresh = ask(requests, packs)
        loop.add_answers(fresh)
        answers += fresh
        if settings.target_kept is not None:
            _report_round(loop, settings.target_kept)
    return answers


def _report_round(loop: GenerationLoop, target: int) -> None:
    kept = len(loop.kept_tasks())
    ended = kept < target and not loop.expected_requests
    cause = "a whole round without a kept one" if loop.stalled else "instructions.max_requests"
    end = f"; {cause} ends it here" if ended else ""
    click.secho(
        f"{counted(loop.requested, 'request')}: {kept} of {target} instructions are kept{end}",
        fg="yellow" if ended else None,
        err=True,
    )


if __name__ == "__main__":
    main()
