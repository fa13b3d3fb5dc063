"""Reading what a batch brought: JSON Lines in any order, an answer or an error each."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ValidationError

from alpacare.core.errors import BadInput
from alpacare.core.files import parse_json
from alpacare.llm.cache_pack import Entry
from alpacare.llm.prices import BATCH, Prices
from alpacare.llm.reply import Call, Completion
from alpacare.llm.request import Request
from alpacare.llm.reservations import now


class Line(BaseModel):
    """A line of a batch's output file."""

    custom_id: str
    response: dict[str, Any] | None = None


def read_output(
    text: str, items: Mapping[str, Request], prices: Prices
) -> tuple[list[Entry], list[str]]:
    """Read the answers to `items` (by key), and the keys of those that were sent and are broken.

    What failed at the server is in neither: nobody pays for it.
    """
    entries, broken = [], []
    for line in text.split("\n"):  # JSON may hold every other kind of line end as it is
        item = _parse(line)
        if item is None or item.custom_id not in items or item.response is None:
            continue
        if item.response.get("status_code") != HTTPStatus.OK:
            continue
        entry = _read(item.custom_id, item.response.get("body"), items[item.custom_id], prices)
        if entry:
            entries.append(entry)
        else:
            broken.append(item.custom_id)
    return entries, broken


def _parse(line: str) -> Line | None:
    try:
        return Line.model_validate(parse_json(line, "batch output")) if line.strip() else None
    except (ValidationError, BadInput):
        return None


def _read(key: str, body: Any, request: Request, prices: Prices) -> Entry | None:
    try:
        completion = Completion.model_validate(body)
        return Entry(
            key=key,
            request=request.content(),
            response=body,
            received=now(),
            price=prices.paid(request, completion.usage, BATCH),
            call=Call(seconds=0, mode=BATCH, prices=prices.source(request)),
        )
    except ValidationError:
        return None
