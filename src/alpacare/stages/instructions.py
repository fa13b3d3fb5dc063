"""Stage `instructions`: the teacher writes new tasks, shown a few seeds at a time.

What cannot be read from a reply goes to the side file with its reason and the request.
"""

from pathlib import Path

import click

from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.settings import load
from alpacare.filtering.filter import Filter, FilteredSettings
from alpacare.instructions.generation_loop import InstructionsSettings, Rounds
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
    sieve = Filter(load("filtered", FilteredSettings), known)
    rounds = Rounds(known, settings, prompt, sieve)
    answers = _ask_all(rounds, settings, packs)
    jsonl.write(out, rounds.tasks.values())
    jsonl.write(dropped, rounds.lost)
    report_usage(answers, len(rounds.tasks), rounds.lost, usage)
    click.echo(
        f"{len(answers)} replies: {len(rounds.tasks)} instructions, {len(rounds.lost)} not usable"
    )


def _ask_all(
    rounds: Rounds, settings: InstructionsSettings, packs: tuple[Path, ...]
) -> list[Answer]:
    """Ask round by round; each round is in the ledger before the next is thought of."""
    answers: list[Answer] = []
    while requests := rounds.next():
        fresh = ask(requests, packs)
        rounds.take(fresh)
        answers += fresh
        if settings.target_kept is not None:
            _say(rounds, settings.target_kept)
    return answers


def _say(rounds: Rounds, target: int) -> None:
    survivors = len(rounds.survivors())
    ended = survivors < target and not rounds.expected
    cause = "a whole round that brought none" if rounds.stalled else "instructions.max_requests"
    end = f"; {cause} ends it here" if ended else ""
    click.secho(
        f"{rounds.asked} requests: {survivors} of {target} instructions survive{end}",
        fg="yellow" if ended else None,
        err=True,
    )


if __name__ == "__main__":
    main()
