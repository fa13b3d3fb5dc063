"""Reading what a batch brought: JSON Lines in any order, an answer or an error each."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from alpacare.errors import BadInput
from alpacare.files import parse_json
from alpacare.teacher.accounts import now
from alpacare.teacher.pack import Entry
from alpacare.teacher.prices import BATCH, Prices
from alpacare.teacher.reply import Call, Completion
from alpacare.teacher.request import Request


class Line(BaseModel):
    """A line of a batch's output file."""

    custom_id: str
    response: dict[str, Any]


def read_output(text: str, items: Mapping[str, Request], prices: Prices) -> list[Entry]:
    """Read the answers to `items` (by key); what failed or cannot be read is left out."""
    return [entry for line in text.splitlines() if (entry := _read(line, items, prices))]


def _read(line: str, items: Mapping[str, Request], prices: Prices) -> Entry | None:
    try:
        item = Line.model_validate(parse_json(line, "batch output"))
        raw: dict[str, Any] = item.response.get("body") or {}
        completion = Completion.model_validate(raw)
    except (ValidationError, BadInput):
        return None
    request = items.get(item.custom_id)
    if request is None:
        return None
    source = prices.source(str(request.body["model"]))
    return Entry(
        key=item.custom_id,
        request=request.content(),
        response=raw,
        received=now(),
        price=prices.paid(request, completion.usage, BATCH),
        call=Call(seconds=0, mode=BATCH, prices=source),
    )
