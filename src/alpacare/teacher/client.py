"""Ask an LLM through the ledger: a stage hands over requests and gets answers in their order.

What the ledger holds is free. What it lacks would cost money, so a stage that misses anything
stops before the first call and says what is missing.
"""

from collections.abc import Sequence
from pathlib import Path

import click

from alpacare.errors import BadInput
from alpacare.teacher.ledger import Ledger, default_path, read_pack
from alpacare.teacher.prices import describe_cost
from alpacare.teacher.request import Answer, Request

RECORDINGS = "recordings"
_LISTED = 10  # missing calls named one by one before the rest is only counted


def ask(requests: Sequence[Request], packs: Sequence[Path] = ()) -> list[Answer]:
    """Answer every request, in order; `packs` are taken into the ledger.

    A pack is an input that DVC hashes and the ledger is not, so where both answer a request the
    pack decides: same inputs, same bytes.

    Raises:
        BadInput: an answer is missing (the message counts the calls, tokens and dollars).
    """
    entries = [entry for pack in packs for entry in read_pack(pack)]
    given = {entry.key: entry.answer() for entry in entries}
    with Ledger(default_path()) as ledger:
        ledger.put_all(entries)
        answers = [given.get(key) or ledger.get(key) for key in (r.key() for r in requests)]
    missing = [r for r, answer in zip(requests, answers, strict=True) if answer is None]
    if missing:
        _stop(missing, len(requests))
    return [answer for answer in answers if answer is not None]


def _stop(missing: Sequence[Request], total: int) -> None:
    for request in missing[:_LISTED]:
        click.echo(f"missing: {request.label} (ledger key {request.key()[:12]})", err=True)
    if len(missing) > _LISTED:
        click.echo(f"missing: and {len(missing) - _LISTED} more", err=True)
    raise BadInput(
        f"{len(missing)} of {total} answers are not in the ledger, {describe_cost(missing)}; "
        f"{_advice(missing[0])}"
    )


def _advice(request: Request) -> str:
    if request.endpoint == RECORDINGS:
        return (
            "the endpoint 'recordings' answers only what data/recordings/ holds: "
            "undo the change of prompt, seed or settings that asks something new"
        )
    return f"give a pack that holds them (--pack); asking {request.endpoint} is not possible yet"
