"""Ask an LLM through the ledger: a stage passes requests and gets answers in their order.

What the ledger holds is free. Other requests are dispatched if BUDGET allows it, and their answers
are in the ledger the moment they arrive; a stage knows nothing of limits, money or storage.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import click

from alpacare.core.errors import BadInput
from alpacare.llm.cache_pack import read_pack
from alpacare.llm.ledger import Ledger, default_path
from alpacare.llm.overlong import cut_overlong
from alpacare.llm.own_ledger import refuse_known
from alpacare.llm.prices import describe_cost, is_free
from alpacare.llm.reply import Answer
from alpacare.llm.request import Request
from alpacare.llm.reservations import read_budget
from alpacare.llm.unread import KEPT, split_unread

_LISTED = 10  # missing answers named one by one before the rest is only counted
_OFFLINE_ADVICE = (
    "the endpoint 'recordings' answers only what data/recordings/ holds: "
    "undo the change of prompt, seed or settings that makes a new request"
)
_BUDGET_ADVICE = (
    "set BUDGET to the most dollars that may be spent, say BUDGET=5 (`make quote` shows more), "
    "or import a pack that holds them"
)
FindAnswer = Callable[[str], Answer | None]


def ask(requests: Iterable[Request], packs: Sequence[Path] = ()) -> list[Answer]:
    """Answer every request, in order; `packs` are imported into the ledger.

    A pack is an input that DVC hashes and the ledger is not, so where both answer a request the
    pack decides: same inputs, same bytes.

    Raises:
        BadInput: an answer is missing and was not received; the message says why, and how to go
            on. Everything received is in the ledger.
        KeyboardInterrupt: the user stopped the run.
    """
    answers: dict[int, Answer] = {}
    with Ledger(default_path()) as ledger:
        from_packs: dict[str, Answer] = {}
        for pack in packs:
            from_packs |= ledger.import_entries(read_pack(pack))

        def find(key: str) -> Answer | None:
            return from_packs.get(key) or ledger.get(key)

        waiting, missing = _fill(answers, enumerate(requests), find)
        while missing:
            to_ask, unread = split_unread(ledger, missing)
            if not to_ask:
                raise _unread_error(unread, len(answers) + len(waiting))
            sent = {request.key() for request in to_ask}
            _dispatch(to_ask, ledger, len(answers))
            waiting, missing = _fill(answers, waiting, find)
            if any(request.key() in sent for request in missing):
                raise BadInput(
                    "an answer was received and is not in the ledger; run: alpacare ledger verify"
                )
    return [answers[position] for position in range(len(answers))]


def look_up(request: Request, find: FindAnswer) -> Answer | Request:
    """Give the answer, or the request whose answer is missing.

    After a reply that was cut off, both are those with the higher limit, if the stage has one.
    """
    answer = find(request.key())
    if answer is None:
        return request
    longer = request.with_higher_limit() if answer.finish_reason == "length" else None
    if longer is None:
        return cut_overlong(answer, request)
    found = look_up(longer, find)
    return replace(found, cut=answer) if isinstance(found, Answer) else found


def _fill(
    answers: dict[int, Answer], requests: Iterable[tuple[int, Request]], find: FindAnswer
) -> tuple[list[tuple[int, Request]], list[Request]]:
    """Add known answers; return the requests without one, and what to send for them, once each."""
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


def _unread_error(unread: Sequence[tuple[Request, str]], total: int) -> BadInput:
    """Say that replies are paid for and cannot be read, and how to go on."""
    request, problem = unread[0]
    return BadInput(
        f"{len(unread)} of {total} answers are missing, as replies cannot be read, the first of "
        f"{request.label or request.key()[:12]} as {problem}; {KEPT}, `alpacare ledger ask-again` "
        "lets the same command ask, and pay for, those requests again"
    )


def _dispatch(missing: Sequence[Request], ledger: Ledger, hits: int) -> None:
    """Send the missing requests, or say what they are and what they would cost."""
    from alpacare.llm.dispatch import dispatch  # its libraries take a while to load

    refuse_known(missing)
    offline = [request for request in missing if request.endpoint.offline]
    budget = read_budget()
    if budget is None and not offline and is_free(missing):
        budget = 0.0
    if offline or budget is None:
        listed = offline or missing
        for request in listed[:_LISTED]:
            click.echo(f"missing: {request.label} (ledger key {request.key()[:12]})", err=True)
        if len(listed) > _LISTED:
            click.echo(f"missing: and {len(listed) - _LISTED} more", err=True)
        raise BadInput(
            f"{len(listed)} of {hits + len(missing)} answers are not in the ledger, "
            f"{describe_cost(listed)}; {_OFFLINE_ADVICE if offline else _BUDGET_ADVICE}"
        )
    dispatch(missing, ledger, budget, hits)
