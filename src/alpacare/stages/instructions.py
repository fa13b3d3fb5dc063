"""Stage `instructions`: the teacher writes new tasks, shown a few seeds at a time.

Every request shows its own hand of seeds. What cannot be read from a reply goes to the side file
with its reason.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import click
from pydantic import Field

from alpacare import jsonl
from alpacare.command import FILE, Stage
from alpacare.errors import BadInput
from alpacare.records.dropped import Dropped
from alpacare.records.task import Instruction, Seed, TaskType, row_id
from alpacare.settings import Settings, load
from alpacare.teacher.client import ask
from alpacare.teacher.endpoints import Endpoint, read_endpoint
from alpacare.teacher.reply import Answer
from alpacare.teacher.request import Request, chat
from alpacare.teacher.usage import report_usage
from alpacare.text.parsing import parse_reply
from alpacare.text.templates import render_chat


class InstructionsSettings(Settings):
    """Section `instructions` of params.yaml."""

    endpoint: str
    model: str
    requests: int = Field(gt=0)
    tasks_per_request: int = Field(gt=0)
    seeds_per_request: int = Field(gt=0)
    seed: int
    temperature: float | None = Field(ge=0)
    top_p: float | None = Field(gt=0, le=1)
    presence_penalty: float | None
    max_tokens: int | None = Field(gt=0)
    retry_max_tokens: int | None = Field(gt=0)
    extra: dict[str, Any]


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

    \b
    Example:
      python -m alpacare.stages.instructions data/seeds.jsonl data/instructions.jsonl \\
          --dropped data/dropped/instructions.jsonl --usage data/usage/instructions.json \\
          --prompt prompts/instructions
    """
    settings = load("instructions", InstructionsSettings)
    hands = deal(jsonl.read(seeds, Seed, unique="id"), settings, seeds)
    answers = ask(make_requests(hands, settings, prompt), packs)
    kept, lost = read_answers(answers, hands)
    jsonl.write(out, kept)
    jsonl.write(dropped, lost)
    report_usage(answers, usage)
    click.echo(f"{len(answers)} replies: {len(kept)} instructions, {len(lost)} not usable")


def deal(seeds: list[Seed], settings: InstructionsSettings, path: Path) -> list[list[Seed]]:
    """Deal one hand of seeds a request, like cards: every seed once before any comes twice.

    The shuffle depends on positions only, so editing one seed changes only the hands it is in.

    Raises:
        BadInput: fewer seeds than one hand needs.
    """
    size = settings.seeds_per_request
    if len(seeds) < size:
        raise BadInput(f"{path}: {len(seeds)} seeds, but instructions.seeds_per_request is {size}")
    order: list[int] = []
    hands: list[list[Seed]] = []
    deck = 0
    while len(hands) < settings.requests:
        if len(order) < size:
            fresh = _shuffled(len(seeds), settings.seed, deck)
            # what is left over comes last in the new deck, so that no hand holds a seed twice
            order += sorted(fresh, key=order.__contains__)
            deck += 1
        hands.append([seeds[position] for position in order[:size]])
        order = order[size:]
    return hands


def _shuffled(size: int, seed: int, deck: int) -> list[int]:
    """Positions 0..size-1 in an order set by SHA-256, the same on every Python version."""
    digest = {p: hashlib.sha256(f"{seed}/{deck}/{p}".encode()).digest() for p in range(size)}
    return sorted(range(size), key=digest.__getitem__)


def make_requests(
    hands: Sequence[Sequence[Seed]], settings: InstructionsSettings, prompt: Path
) -> list[Request]:
    """Put each hand of seeds into the prompt; a hand that was dealt before is a new sample."""
    endpoint = read_endpoint(settings.endpoint)
    dealt: Counter[str] = Counter()
    requests = []
    for number, hand in enumerate(hands, start=1):
        names = ", ".join(seed.id for seed in hand)
        label = f"request {number}, seeds {names}"
        requests.append(_make_request(hand, label, dealt[names], settings, endpoint, prompt))
        dealt[names] += 1
    return requests


def _make_request(
    hand: Sequence[Seed],
    label: str,
    sample: int,
    settings: InstructionsSettings,
    endpoint: Endpoint,
    prompt: Path,
) -> Request:
    values: dict[str, Any] = {
        "examples": hand,
        "count": settings.tasks_per_request,
        "types": get_args(TaskType),
    }
    return chat(
        endpoint,
        settings.model,
        render_chat(prompt, values),
        label=label,
        sample=sample,
        room=settings.retry_max_tokens,
        temperature=settings.temperature,
        top_p=settings.top_p,
        presence_penalty=settings.presence_penalty,
        max_tokens=settings.max_tokens,
        **settings.extra,
    )


def read_answers(
    answers: Sequence[Answer], hands: Sequence[Sequence[Seed]]
) -> tuple[list[Instruction], list[Dropped]]:
    """Read the tasks out of every reply; a task seen before is dropped with its twin's name."""
    kept: dict[str, Instruction] = {}
    lost: list[Dropped] = []
    for answer, hand in zip(answers, hands, strict=True):
        for task in parse_reply(answer.text, answer.finish_reason):
            name = f"{answer.key[:12]}/{task.index}"
            if task.reason:
                lost.append(_lost(name, task.reason, task.text))
                continue
            id = row_id(task.fields["instruction"], task.fields["input"])
            if id in kept:
                lost.append(_lost(name, "same_task", id))
                continue
            kept[id] = Instruction(
                id=id,
                **task.fields,
                request=answer.key,
                index=task.index,
                seeds=[seed.id for seed in hand],
            )
    return list(kept.values()), lost


def _lost(name: str, reason: str, witness: str) -> Dropped:
    return Dropped(id=name, stage="instructions", reason=reason, witness=witness)


if __name__ == "__main__":
    main()
