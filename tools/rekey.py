"""Give the written recordings new keys after a change of prompt, seed tasks or teacher settings.

The replies in data/recordings/ were written for this project, not bought, so they may follow the
prompts: the k-th reply answers the k-th request, and a response answers the task it was written
for. Real answers are never rekeyed: they belong to exactly what was asked.

    python tools/rekey.py && dvc repro
"""

import json
from pathlib import Path

import click

from alpacare import jsonl
from alpacare.errors import BadInput
from alpacare.records.task import Seed
from alpacare.settings import load
from alpacare.stages.instructions import InstructionsSettings, deal, read_answers
from alpacare.stages.instructions import make_request as ask_for_tasks
from alpacare.stages.responses import ResponsesSettings
from alpacare.stages.responses import make_request as ask_for_answer
from alpacare.teacher.ledger import Entry, read_pack, write_pack
from alpacare.teacher.request import Answer, Request

SEEDS = Path("data/seeds.jsonl")
INSTRUCTIONS = Path("data/recordings/instructions.jsonl")
RESPONSES = Path("data/recordings/responses.jsonl")


def rekeyed(entry: Entry, request: Request) -> Entry:
    return entry.model_copy(update={"key": request.key(), "request": request.content()})


def question(entry: Entry) -> str:
    return str(entry.request["body"]["messages"][-1]["content"])


@click.command()
def main() -> None:
    """Rewrite both packs of data/recordings/ for today's prompts, seeds and settings."""
    settings = load("instructions", InstructionsSettings)
    hands = deal(jsonl.read(SEEDS, Seed), settings, SEEDS)
    replies = list(read_pack(INSTRUCTIONS))
    if len(replies) != len(hands):
        raise BadInput(f"{INSTRUCTIONS}: {len(replies)} replies for {len(hands)} requests")
    replies = [
        rekeyed(entry, ask_for_tasks(hand, k, settings, Path("prompts/instructions")))
        for k, (entry, hand) in enumerate(zip(replies, hands, strict=True), start=1)
    ]
    tasks, _ = read_answers([Answer(e.key, e.response) for e in replies], hands)
    written = {question(entry): entry for entry in read_pack(RESPONSES)}
    answer_settings = load("responses", ResponsesSettings)
    requests = [ask_for_answer(task, answer_settings, Path("prompts/responses")) for task in tasks]
    missing = [r.label for r in requests if r.body["messages"][-1]["content"] not in written]
    if missing:
        raise BadInput(f"{RESPONSES}: nothing written for: {json.dumps(missing)}")
    write_pack(INSTRUCTIONS, replies)
    write_pack(
        RESPONSES, [rekeyed(written[r.body["messages"][-1]["content"]], r) for r in requests]
    )
    click.echo(f"{len(replies)} replies and {len(requests)} responses have today's keys")


if __name__ == "__main__":
    main()
