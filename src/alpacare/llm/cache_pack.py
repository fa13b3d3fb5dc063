"""Cache packs: the ledger's exchange format, JSON Lines, one paid answer a line.

{"key": "9b1d...", "request": {"path": ..., "endpoint": ..., "body": ..., "sample": 0},
 "response": {...}, "received": "2026-01-31T12:00:00Z", "price": 0.0002, "call": {...},
 "digest": "c41e..."}

and a last line {"end": 345, "digest": "07aa..."} with their number, which shows whether a pack was
cut off. An entry's digest is over all else in its line, the last one over those of all entries.
They show damage and careless edits. Whoever forges a pack can compute them anew: so publish the
last digest where it can be looked up. Packs of earlier versions have none.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from alpacare.core.errors import BadInput
from alpacare.core.jsonl import Row, read_objects, validate, write
from alpacare.core.texts import counted
from alpacare.llm.reply import Answer, Call
from alpacare.llm.reply_reader import Reply, read_completion
from alpacare.llm.request import content_key

_AGAIN = "the line was changed after it was written: copy the pack again from its source"


class Entry(Row):
    """One answer: `received` in UTC, `price` in US dollars (null if it was not paid)."""

    key: str = Field(pattern="^[0-9a-f]{64}$")
    request: dict[str, Any]
    response: dict[str, Any]
    received: str
    price: float | None
    call: Call | None = Field(default=None, exclude_if=lambda call: call is None)
    digest: str | None = Field(default=None, exclude_if=lambda digest: digest is None)

    @classmethod
    def of(
        cls,
        key: str,
        request: dict[str, Any],
        reply: Reply,
        received: str,
        paid: tuple[float, list[str]],
        call: Call,
    ) -> "Entry":
        """Make the entry of a reply that has just been read, and so is not checked once more.

        `paid`: the price, and what was odd in it.
        """
        price, odd = paid
        return cls.model_construct(
            key=key,
            request=request,
            response=reply.raw,
            received=received,
            price=price,
            call=call.model_copy(update={"warnings": [*reply.odd_bytes, *odd]}),
        )

    @field_validator("response")
    @classmethod
    def _is_completion(cls, response: dict[str, Any]) -> dict[str, Any]:
        """Refuse what cannot be read later: an answer without choices."""
        read_completion(response)
        return response

    def answer(self) -> Answer:
        """Give the answer that this entry holds."""
        completion, odd = read_completion(self.response)
        return Answer.from_completion(self.key, completion, self.price, self.call, odd)


class PackEnd(Row):
    """A pack's last line."""

    end: int
    digest: str | None = Field(default=None, exclude_if=lambda digest: digest is None)


def read_pack(path: Path) -> Iterator[Entry]:
    """Read a pack and check each line.

    Raises:
        BadInput: a damaged line, a key that is not its request's hash, a digest that does not fit,
            a price or time that is none, two answers to one request, fewer lines than were written.
    """
    lines: dict[str, int] = {}
    digests: list[str | None] = []
    end = None
    for number, value in read_objects(path):
        place = f"{path}:{number}"
        if end is not None:
            raise BadInput(f"{place}: a line after the pack's end; join packs by importing")
        if "end" in value:
            end = validate(PackEnd, value, place)
            continue
        entry = validate(Entry, value, place)
        _check_line(entry, value, place)
        if (first := lines.setdefault(entry.key, number)) != number:
            raise BadInput(f"{place}: line {first} answers the same request; keep one")
        digests.append(entry.digest)
        yield entry
    if end is None or end.end != len(lines):
        missing = "its last line, the number of entries, is missing"
        lacks = missing if end is None else f"{end.end} were written"
        entries = counted(len(lines), "entry", "entries")
        raise BadInput(f"{path}: {entries}, but {lacks}: it was cut off; copy it again")
    sealed = end.digest is not None or any(digests)
    if sealed and (None in digests or end.digest != pack_digest(digests)):
        raise BadInput(
            f"{path}: its last digest is not that of its entries; copy the pack again from its "
            "source"
        )


def _check_line(entry: Entry, value: Mapping[str, Any], place: str) -> None:
    """Check an entry against its key and its digest, and its price and time by themselves."""
    if content_key(entry.request) != entry.key:
        raise BadInput(f"{place}: the key is not the hash of the request; {_AGAIN}")
    if entry.digest is not None and entry.digest != _line_digest(value):
        raise BadInput(
            f"{place}: the digest is not that of request, response, usage, price and time; {_AGAIN}"
        )
    if problem := find_problem(entry):
        raise BadInput(f"{place}: {problem}; copy the pack again from its source")


def find_problem(entry: Entry) -> str:
    """Say what is wrong with an entry's price, time or call; "" if nothing is."""
    seconds = entry.call.seconds if entry.call else None
    for name, number in (("price", entry.price), ("call.seconds", seconds)):
        if number is not None and not (math.isfinite(number) and number >= 0):
            return f"its {name} is {number}, which is no number from 0 on"
    try:
        moment = datetime.fromisoformat(entry.received)
    except ValueError:
        moment = datetime.min
    return "" if moment.utcoffset() == timedelta(0) else "its time `received` is no time in UTC"


def write_pack(path: Path, entries: Iterable[Entry]) -> PackEnd:
    """Write entries as a pack, in the order given, with digests; return its last line."""
    digests: list[str | None] = []

    def lines() -> Iterator[Row]:
        for entry in entries:
            digests.append(_line_digest(entry.model_dump()))
            yield entry.model_copy(update={"digest": digests[-1]})
        yield PackEnd(end=len(digests), digest=pack_digest(digests))

    write(path, lines())
    return PackEnd(end=len(digests), digest=pack_digest(digests))


def pack_digest(digests: Iterable[str | None]) -> str:
    """Give the digest over all entries, in their order."""
    text = "".join(f"{digest}\n" for digest in digests)
    return hashlib.sha256(text.encode()).hexdigest()


def _line_digest(line: Mapping[str, Any]) -> str:
    """Hash all of an entry's line but its digest: sorted keys, no blanks, ASCII."""
    rest = {name: value for name, value in line.items() if name != "digest"}
    return hashlib.sha256(
        json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()
    ).hexdigest()
