"""Cache packs: the ledger's exchange format, JSON Lines, one paid answer a line.

{"key": "9b1d...", "request": {"path": ..., "endpoint": ..., "body": ..., "sample": 0},
 "response": {...}, "received": "2026-01-31T12:00:00Z", "price": 0.0002, "call": {...}}

and a last line {"end": 345} with their number, which shows whether a pack was cut off.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from alpacare.core.errors import BadInput
from alpacare.core.jsonl import Row, read_objects, validate, write
from alpacare.llm.reply import Answer, Call, Completion
from alpacare.llm.request import content_key


class Entry(Row):
    """One answer: `received` in UTC, `price` in US dollars (null if it was not paid)."""

    key: str = Field(pattern="^[0-9a-f]{64}$")
    request: dict[str, Any]
    response: dict[str, Any]
    received: str
    price: float | None
    call: Call | None = Field(default=None, exclude_if=lambda call: call is None)

    @field_validator("response")
    @classmethod
    def _is_completion(cls, response: dict[str, Any]) -> dict[str, Any]:
        """Refuse what cannot be read later: an answer without choices or model."""
        Completion.model_validate(response)
        return response

    def answer(self) -> Answer:
        """Give the answer that this entry holds."""
        return Answer.from_completion(
            self.key, Completion.model_validate(self.response), self.price, self.call
        )


class PackEnd(Row):
    """A pack's last line."""

    end: int


def read_pack(path: Path) -> Iterator[Entry]:
    """Read a pack and check each line.

    Raises:
        BadInput: a damaged line, a key that is not its request's hash, two answers to one request,
            fewer lines than were written.
    """
    lines: dict[str, int] = {}
    end = None
    for number, value in read_objects(path):
        if end is not None:
            raise BadInput(f"{path}:{number}: a line after the pack's end; join packs by importing")
        if "end" in value:
            end = validate(PackEnd, value, f"{path}:{number}").end
            continue
        entry = validate(Entry, value, f"{path}:{number}")
        if content_key(entry.request) != entry.key:
            raise BadInput(
                f"{path}:{number}: the key is not the hash of the request; the line was changed "
                "after it was recorded: copy the pack again from its source"
            )
        if (first := lines.setdefault(entry.key, number)) != number:
            raise BadInput(f"{path}:{number}: line {first} answers the same request; keep one")
        yield entry
    if end != len(lines):
        missing = "its last line, the number of entries, is missing"
        lacks = missing if end is None else f"{end} were written"
        raise BadInput(f"{path}: {len(lines)} entries, but {lacks}: it was cut off; copy it again")


def write_pack(path: Path, entries: Iterable[Entry]) -> int:
    """Write entries as a pack, in the order given; return how many."""
    count = 0

    def counted() -> Iterator[Row]:
        nonlocal count
        for entry in entries:
            count += 1
            yield entry
        yield PackEnd(end=count)

    write(path, counted())
    return count
