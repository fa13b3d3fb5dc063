"""Ask an LLM through the ledger: a stage hands over requests and gets answers in their order.

What the ledger holds is free. What it lacks is bought if BUDGET allows it, and stands in the ledger
the moment it arrives; a stage knows nothing of limits, money or storage.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import click

from alpacare.core.errors import BadInput
from alpacare.llm.cache_pack import read_pack
from alpacare.llm.ledger import Ledger, default_path
from alpacare.llm.prices import describe_cost, is_free
from alpacare.llm.reply import Answer
from alpacare.llm.request import Request
from alpacare.llm.reservations import read_budget

_LISTED = 10  # missing calls named one by one before the rest is only counted
Find = Callable[[str], Answer | None]


def ask(requests: Iterable[Request], packs: Sequence[Path] = ()) -> list[Answer]:
    """Answer every request, in order; `packs` are taken into the ledger.

    A pack is an input that DVC hashes and the ledger is not, so where both answer a request the
    pack decides: same inputs, same bytes.

    Raises:
        BadInput: an answer is missing and could not be bought; the message says why, and how to
            go on. Everything received is in the ledger.
        KeyboardInterrupt: the user stopped the buying.
    """
    answers: dict[int, Answer] = {}
    with Ledger(default_path()) as ledger:
        told: dict[str, Answer] = {}
        for pack in packs:
            told |= ledger.take(read_pack(pack))

        def find(key: str) -> Answer | None:
            return told.get(key) or ledger.get(key)

        waiting, missing = _fill(answers, enumerate(requests), find)
        while missing:
            bought = {request.key() for request in missing}
            _buy(missing, ledger, len(answers))
            waiting, missing = _fill(answers, waiting, find)
            if any(request.key() in bought for request in missing):
                raise BadInput(
                    "an answer was received and is not in the ledger; run: alpacare ledger verify"
                )
    return [answers[position] for position in range(len(answers))]


def look_up(request: Request, find: Find) -> Answer | Request:
    """Give the answer, or the request whose answer is missing: of a reply that was cut off, and
    for which the stage wants more room, the longer one.
    """
    answer = find(request.key())
    if answer is None:
        return request
    longer = request.with_more_room() if answer.finish_reason == "length" else None
    if longer is None:
        return answer
    found = look_up(longer, find)
    return replace(found, cut=answer) if isinstance(found, Answer) else found


def _fill(
    answers: dict[int, Answer], requests: Iterable[tuple[int, Request]], find: Find
) -> tuple[list[tuple[int, Request]], list[Request]]:
    """Put what is known in its place; give what waits, and the calls it waits for, once each."""
    waiting: list[tuple[int, Request]] = []
    missing: dict[str, Request] = {}
    for position, request in requests:
        found = look_up(request, find)
        if isinstance(found, Answer):
            answers[position] = found
        else:
            waiting.append((position, request))
            missing.setdefault(found.key(), found)
    return waiting, list(missing.values())


def _buy(missing: Sequence[Request], ledger: Ledger, hits: int) -> None:
    """Buy what is missing, or say what it is and what it would cost."""
    from alpacare.llm.dispatch import buy  # its libraries take a while to load

    offline = [request for request in missing if request.endpoint.offline]
    budget = read_budget()
    if budget is None and not offline and is_free(missing):
        budget = 0.0
    if offline or budget is None:
        _list(offline or missing)
        raise BadInput(
            f"{len(offline or missing)} of {hits + len(missing)} answers are not in the ledger, "
            f"{describe_cost(offline or missing)}; {_advice(bool(offline))}"
        )
    buy(missing, ledger, budget, hits)


def _list(missing: Sequence[Request]) -> None:
    for request in missing[:_LISTED]:
        click.echo(f"missing: {request.label} (ledger key {request.key()[:12]})", err=True)
    if len(missing) > _LISTED:
        click.echo(f"missing: and {len(missing) - _LISTED} more", err=True)


def _advice(offline: bool) -> str:
    if offline:
        return (
            "the endpoint 'recordings' answers only what data/recordings/ holds: "
            "undo the change of prompt, seed or settings that asks something new"
        )
    return (
        "set BUDGET to the most dollars that may be spent, say BUDGET=5 (`make quote` tells more), "
        "or import a pack that holds them"
    )
