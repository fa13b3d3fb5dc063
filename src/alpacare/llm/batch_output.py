"""Reading a batch's output file: JSON Lines in any order, an answer or an error each."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import AliasPath, BaseModel, Field, ValidationError

from alpacare.core.errors import BadInput
from alpacare.core.files import parse_json
from alpacare.llm.cache_pack import Entry
from alpacare.llm.prices import BATCH, Prices
from alpacare.llm.reply import Call, Completion
from alpacare.llm.request import Request
from alpacare.llm.reservations import now


class OutputLine(BaseModel):
    """A line of a batch's output file."""

    custom_id: str
    status_code: int = Field(validation_alias=AliasPath("response", "status_code"))
    body: Any = Field(default=None, validation_alias=AliasPath("response", "body"))


def read_output(
    text: str, requests: Mapping[str, Request], prices: Prices
) -> tuple[list[Entry], list[str]]:
    """Read the answers to `requests` (by key), and the keys of those that are broken.

    What failed at the server is in neither: it is not billed.
    """
    entries, broken = [], []
    for line in text.split("\n"):  # JSON may hold every other kind of line end as it is
        try:
            output = OutputLine.model_validate(parse_json(line, "batch output"))
        except (ValidationError, BadInput):
            continue
        key = output.custom_id
        if key not in requests or output.status_code != HTTPStatus.OK:
            continue
        request = requests[key]
        try:
            completion = Completion.model_validate(output.body)
            entry = Entry(
                key=key,
                request=request.content(),
                response=output.body,
                received=now(),
                price=prices.paid(request, completion.usage, BATCH),
                call=Call(seconds=0, mode=BATCH, prices=prices.source(request)),
            )
            entries.append(entry)
        except ValidationError:
            broken.append(key)
    return entries, broken
