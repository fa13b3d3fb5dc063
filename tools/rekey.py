"""Give the written recordings new keys after a change of prompt, seed tasks or teacher settings.

The replies in data/recordings/ were written for this project, not paid for, so they may follow the
prompts: the k-th reply answers the k-th request, and the k-th response the k-th task in them.
Real answers are never rekeyed: they belong to exactly what was asked.

    python tools/rekey.py && dvc repro
"""

from collections.abc import Sequence
from pathlib import Path

import click

from alpacare.core import jsonl
from alpacare.core.command import Stage
from alpacare.core.errors import BadInput
from alpacare.core.settings import load
from alpacare.filtering.filter import Filter
from alpacare.filtering.settings import FilteredSettings
from alpacare.instructions.generation_loop import GenerationLoop
from alpacare.instructions.settings import InstructionsSettings
from alpacare.llm.cache_pack import Entry, read_pack, write_pack
from alpacare.llm.request import Request
from alpacare.llm.task_requests import ResponsesSettings, make_requests
from alpacare.records.task import Seed

SEEDS = Path("data/seeds.jsonl")
INSTRUCTIONS = Path("data/recordings/instructions.jsonl")
RESPONSES = Path("data/recordings/responses.jsonl")


@click.command(cls=Stage)
def main() -> None:
    """Rewrite both packs of data/recordings/ for today's prompts, seeds and settings."""
    task_filter = Filter(load("filtered", FilteredSettings))
    settings = load("instructions", InstructionsSettings)
    loop = GenerationLoop(
        jsonl.read(SEEDS, Seed), settings, Path("prompts/instructions"), task_filter
    )
    replies = rekey(INSTRUCTIONS, loop.next_requests())
    loop.add_answers([entry.answer() for entry in replies])
    answering = load("responses", ResponsesSettings)
    asked = list(make_requests(loop.tasks.values(), answering, Path("prompts/responses")))
    responses = rekey(RESPONSES, asked)
    for pack, entries in ((INSTRUCTIONS, replies), (RESPONSES, responses)):
        if entries != list(read_pack(pack)):  # else the stages that read it would run again
            write_pack(pack, entries)
    click.echo(f"{len(replies)} replies and {len(responses)} responses have today's keys")


def rekey(pack: Path, requests: Sequence[Request]) -> list[Entry]:
    """Give the k-th entry of a pack the key of the k-th request."""
    entries = list(read_pack(pack))
    if len(entries) != len(requests):
        raise BadInput(f"{pack}: {len(entries)} entries for {len(requests)} requests")
    return [
        entry.model_copy(update={"key": request.key(), "request": request.content()})
        for entry, request in zip(entries, requests, strict=True)
    ]


if __name__ == "__main__":
    main()
