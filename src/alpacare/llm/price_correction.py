"""Prices in the ledger: shown, and corrected with a trace of who did it, when and why."""

import getpass
import json
import platform
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from alpacare.core.errors import BadInput
from alpacare.llm.ledger import Ledger
from alpacare.llm.reservations import Reservations, now
from alpacare.llm.unread import UnreadReply, unread_replies

_DEAREST = 10  # answers that are listed
_SHORTEST_KEY = 6
_NO_PRICE = 1e6  # dollars


class Priced(NamedTuple):
    """What has a price: an answer, or a reply that cannot be read (`unread` is its number)."""

    key: str
    received: str
    model: str
    price: float | None
    counts: str  # the server's token counts, as it sent them
    source: str  # of the price
    notes: str  # what was odd
    paid_here: bool
    unread: int | None = None

    def describe(self) -> str:
        """Describe the price in one line."""
        price = "not paid" if self.price is None else f"${self.price:.6f}"
        where = "" if self.paid_here else ", imported"
        odd = f"; {self.notes}" if self.notes else ""
        return (
            f"{self.key[:12]}  {self.received[:10]}  {self.model}  {price} by {self.source}{where}"
            f"  counted by the server: {self.counts}{odd}"
        )


def list_dearest(ledger: Ledger) -> Iterator[str]:
    """Describe the most expensive answers, a line each: there a wrong price shows."""
    sql = "SELECT key FROM entries WHERE price > 0 ORDER BY price DESC, key LIMIT ?"
    with ledger.readable():
        keys = ledger.connection.execute(sql, (_DEAREST,)).fetchall()
    yield from (_answer(ledger, key).describe() for (key,) in keys)
    yield from (line for key, line in _corrections(ledger))


def show_price(ledger: Ledger, key: str) -> Iterator[str]:
    """Describe the price of what has this key, and its corrections."""
    found = _find(ledger, key)
    yield found.describe()
    yield from (line for corrected, line in _corrections(ledger) if corrected == found.key)


def correct_price(ledger: Ledger, key: str, price: float, why: str) -> str:
    """Set a price, in dollars; what the ledger has paid follows, if it was paid from here.

    Raises:
        BadInput: no such key, or several; the price is no amount.
    """
    if not 0 <= price < _NO_PRICE:
        raise BadInput(f"{price} is not the price of an answer in dollars")
    with ledger.transaction():
        found = _find(ledger, key)
        before = found.price or 0.0
        sql = ledger.connection
        if found.unread is None:
            sql.execute("UPDATE entries SET price = ? WHERE key = ?", (price, found.key))
        else:
            sql.execute("UPDATE unread SET price = ? WHERE id = ?", (price, found.unread))
        if found.paid_here:
            sql.execute("UPDATE money SET spent = max(0, spent + ?)", (price - before,))
        values = (found.key, now(), _user(), found.price, price, why)
        sql.execute("INSERT INTO corrections VALUES (?, ?, ?, ?, ?, ?)", values)
    total = "" if found.paid_here else "; imported, so what this ledger has paid stays"
    spent = Reservations(ledger).spending().describe()
    return f"{found.key[:12]}: ${before:.6f} is now ${price:.6f}{total}; {spent}"


def _find(ledger: Ledger, key: str) -> Priced:
    """Find what has this key, or the only key that begins so; of replies the last one."""
    if len(key) < _SHORTEST_KEY:
        raise BadInput(f"'{key}': give at least {_SHORTEST_KEY} characters of the key")
    with ledger.readable():
        sql = "SELECT key FROM entries WHERE substr(key, 1, ?) = ?"
        keys = {found for (found,) in ledger.connection.execute(sql, (len(key), key))}
    unread = {each.key: (number, each) for number, each in unread_replies(ledger, key)}
    if len(keys | unread.keys()) != 1:
        how_many = "no answer" if not keys | unread.keys() else "more than one answer"
        raise BadInput(f"{ledger.path}: {how_many} has a key that begins with '{key}'")
    return _answer(ledger, keys.pop()) if keys else _unread(*unread.popitem()[1])


def _answer(ledger: Ledger, key: str) -> Priced:
    entry = ledger.entry(key)
    (paid_here,) = ledger.connection.execute(
        "SELECT paid_here FROM entries WHERE key = ?", (key,)
    ).fetchone()
    return Priced(
        key=key,
        received=entry.received,
        model=str(entry.request["body"]["model"]),
        price=entry.price,
        counts=json.dumps(entry.response.get("usage")),
        source=(entry.call and entry.call.prices) or "an unknown table",
        notes=", ".join(entry.answer().warnings),
        paid_here=bool(paid_here),
    )


def _unread(number: int, reply: UnreadReply) -> Priced:
    return Priced(
        key=reply.key,
        received=reply.received,
        model=str(reply.request["body"]["model"]),
        price=reply.price,
        counts="its reply cannot be read",
        source="the worst case",
        notes=reply.problem,
        paid_here=True,
        unread=number,
    )


def _corrections(ledger: Ledger) -> Iterator[tuple[str, str]]:
    """Yield the key and the description of each correction, in their order."""
    with ledger.readable():
        rows = ledger.connection.execute("SELECT * FROM corrections ORDER BY rowid").fetchall()
    for key, corrected, who, before, after, why in rows:
        old = "not paid" if before is None else f"${before:.6f}"
        yield key, f"{key[:12]}  corrected {corrected} by {who}: {old} to ${after:.6f}: {why}"


def _user() -> str:
    """Name who corrects: the system's user and machine."""
    user = "unknown"
    with suppress(OSError, KeyError, ImportError):
        user = getpass.getuser()
    return f"{user}@{platform.node()}"
