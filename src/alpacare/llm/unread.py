"""Replies that were paid for and cannot be read: kept as they came, and not paid for again.

A request with such a reply is not asked again until a user says so (`alpacare ledger ask-again`).
If a later version of this code can read the reply, it becomes the answer without a call.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpacare.llm.endpoints import Endpoint
from alpacare.llm.reply import Call
from alpacare.llm.request import Price, Request

if TYPE_CHECKING:
    import sqlite3

    from alpacare.llm.ledger import Ledger

MOST_UNREAD = 5  # in a row from one server before the run stops, and for one request in a run
# a reply that broke off is kept, and its request asked again: it waits no more once it is answered
_WAITING = "waiting AND NOT EXISTS (SELECT 1 FROM entries WHERE entries.key = unread.key)"
_COLUMNS = (
    "key, request, reply, charset, received, price, call, own_price, problem, waiting, digest"
)
# what decides whether a reply can be read
_READERS = ("batch_output.py", "json_bytes.py", "reply.py", "reply_reader.py")
KEPT = "they count as paid and are kept: `alpacare ledger unread` shows them"


@dataclass(frozen=True)
class UnreadReply:
    """One reply: `price`, in dollars, is the most that it can have cost."""

    key: str
    request: dict[str, Any]  # its content, as in an entry
    reply: bytes  # as it came; of a batch its line
    charset: str | None
    received: str
    price: float
    call: Call
    own_price: dict[str, Any] | None  # the price that the stage's settings gave
    problem: str
    waiting: bool = True  # its request is not asked again
    intact: bool = True  # as it was received

    @classmethod
    def of(
        cls,
        request: Request,
        reply: bytes,
        problem: str,
        received: str,
        price: float,
        call: Call,
        charset: str | None = None,
    ) -> "UnreadReply":
        """Make the record of a reply to a request; a free request may be asked again."""
        return cls(
            key=request.key(),
            request=request.content(),
            reply=reply,
            charset=charset,
            received=received,
            price=price,
            call=call,
            own_price=request.price.model_dump() if request.price else None,
            problem=problem,
            waiting=price > 0,
        )


def rebuild_request(
    content: Mapping[str, Any], endpoint: Endpoint, own_price: Mapping[str, Any] | None
) -> Request:
    """Make a request again of its stored content and the price that its stage's settings gave."""
    price = Price.model_validate(own_price) if own_price else None
    path, sample = content["path"], content["sample"]
    return Request(endpoint, content["body"], "", path, sample, price=price)


def keep(sql: "sqlite3.Connection", unread: UnreadReply) -> None:
    """Store a reply, within a transaction, and book its price as paid."""
    values = (
        unread.key,
        json.dumps(unread.request),
        unread.reply,
        unread.charset,
        unread.received,
        unread.price,
        unread.call.model_dump_json(),
        json.dumps(unread.own_price) if unread.own_price else None,
        unread.problem,
        unread.waiting,
        _digest(unread.key, unread.reply),
        reader_version(),
    )
    places = ", ".join("?" * len(values))
    sql.execute(f"INSERT INTO unread ({_COLUMNS}, reader) VALUES ({places})", values)
    sql.execute("UPDATE money SET spent = spent + ?", (unread.price,))


def unread_replies(ledger: "Ledger", key: str = "") -> Iterator[tuple[int, UnreadReply]]:
    """Yield each reply and its number in the ledger; those whose request's key begins so."""
    with ledger.readable():
        sql = "SELECT id FROM unread WHERE substr(key, 1, ?) = ? ORDER BY id"
        numbers = ledger.connection.execute(sql, (len(key), key)).fetchall()
    for (number,) in numbers:  # one by one: a batch of them may be larger than the memory
        yield number, read_row(ledger, number)


def read_row(ledger: "Ledger", number: int) -> UnreadReply:
    """Read a reply by its number."""
    with ledger.readable():
        sql = f"SELECT {_COLUMNS} FROM unread WHERE id = ?"
        values = ledger.connection.execute(sql, (number,)).fetchone()
    row = dict(zip(_COLUMNS.split(", "), values, strict=True))
    own, digest = row["own_price"], row.pop("digest")
    row |= {
        "request": json.loads(row["request"]),
        "call": Call.model_validate_json(row["call"]),
        "own_price": json.loads(own) if own else None,
        "waiting": bool(row["waiting"]),
        "intact": _digest(row["key"], row["reply"]) == digest,
    }
    return UnreadReply(**row)


def problem_of(ledger: "Ledger", key: str) -> str | None:
    """Say why the reply to a request cannot be read, if that keeps it from being asked again."""
    with ledger.readable():
        found = ledger.connection.execute(
            f"SELECT problem FROM unread WHERE key = ? AND {_WAITING} ORDER BY id DESC", (key,)
        ).fetchone()
    return found[0] if found else None


def describe_problem(problem: str) -> str:
    """Say what became of a reply that cannot be read."""
    kept = "it counts as paid and is kept (`alpacare ledger unread`)"
    return f"its reply cannot be read, as {problem}; {kept}"


def waiting_keys(ledger: "Ledger") -> dict[str, str]:
    """Give the keys of requests that are not asked again, with why."""
    with ledger.readable():
        sql = f"SELECT key, problem FROM unread WHERE {_WAITING}"
        return dict(ledger.connection.execute(sql).fetchall())


def split_unread(
    ledger: "Ledger", requests: Iterable[Request]
) -> tuple[list[Request], list[tuple[Request, str]]]:
    """Separate requests to ask from those that are not asked again, with why."""
    problems = waiting_keys(ledger)
    to_ask, kept = [], []
    for request in requests:
        if problem := problems.get(request.key()):
            kept.append((request, problem))
        else:
            to_ask.append(request)
    return to_ask, kept


def count_in_a_row(ledger: "Ledger", server: str) -> int:
    """Count a server's replies that cannot be read since its last one that can."""
    sql = ledger.connection
    with ledger.readable():
        times = "SELECT received FROM unread WHERE json_extract(request, '$.endpoint') = ?"
        unread = [received for (received,) in sql.execute(times, (server,))]
        if not unread:
            return 0
        (last,) = sql.execute(
            "SELECT max(received) FROM entries "
            "WHERE json_extract(request, '$.endpoint') = ? AND call IS NOT NULL",
            (server,),
        ).fetchone()
    return sum(last is None or received > last for received in unread)


def allow_again(ledger: "Ledger", keys: Iterable[str]) -> int:
    """Let requests be asked, and paid for, again; the replies stay. No keys: all."""
    begins = tuple(keys) or ("",)
    with ledger.transaction():
        waiting = [key for key in waiting_keys(ledger) if key.startswith(begins)]
        ledger.connection.executemany(
            "UPDATE unread SET waiting = 0 WHERE key = ?", ((key,) for key in waiting)
        )
    return len(waiting)


@cache
def reader_version() -> str:
    """Name this version of the code that reads replies: a kept one is tried once with each."""
    code = b"".join(Path(__file__).with_name(name).read_bytes() for name in _READERS)
    return hashlib.sha256(code).hexdigest()[:16]


def _digest(key: str, reply: bytes) -> str:
    return hashlib.sha256(key.encode() + b"\n" + reply).hexdigest()[:16]
