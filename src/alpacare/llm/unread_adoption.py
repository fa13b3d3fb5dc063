"""Kept replies that an earlier version could not read, and this one can: answers for nothing."""

from contextlib import suppress
from typing import TYPE_CHECKING

from alpacare.core.errors import BadInput
from alpacare.llm.cache_pack import Entry
from alpacare.llm.endpoints import RECORDINGS
from alpacare.llm.json_bytes import Unreadable
from alpacare.llm.prices import BATCH, Prices
from alpacare.llm.reply_reader import Reply, ServerError, read_reply
from alpacare.llm.unread import UnreadReply, read_row, reader_version, rebuild_request

if TYPE_CHECKING:
    from alpacare.llm.ledger import Ledger


def adopt(ledger: "Ledger") -> None:
    """Make answers of the replies that this version can read; what they cost is then known."""
    sql = ledger.connection
    new = "SELECT id FROM unread WHERE reader != ?"
    if not sql.execute(new, (reader_version(),)).fetchone():
        return
    with ledger.transaction():
        for (number,) in sql.execute(new, (reader_version(),)).fetchall():
            unread = read_row(ledger, number)
            with suppress(Unreadable, ServerError):
                if unread.intact:
                    _adopt(ledger, number, unread, _read(unread))
        sql.execute("UPDATE unread SET reader = ?", (reader_version(),))


def _read(unread: UnreadReply) -> Reply:
    from alpacare.llm.batch_output import read_line

    batch = unread.call.mode == BATCH
    return read_line(unread.reply) if batch else read_reply(unread.reply, unread.charset)


def _adopt(ledger: "Ledger", number: int, unread: UnreadReply, reply: Reply) -> None:
    paid = _price(ledger, unread, reply)
    entry = Entry.of(unread.key, unread.request, reply, unread.received, paid, unread.call)
    if ledger.insert(entry, paid_here=True):
        sql = ledger.connection
        sql.execute("DELETE FROM unread WHERE id = ?", (number,))
        sql.execute("UPDATE money SET spent = spent + ?", (paid[0] - unread.price,))


def _price(ledger: "Ledger", unread: UnreadReply, reply: Reply) -> tuple[float, list[str]]:
    """Give the price by the reply's token counts, and what is odd in it.

    It is the booked one where a person has corrected that, or the model's price is not known.
    """
    sql = "SELECT 1 FROM corrections WHERE key = ?"
    if ledger.connection.execute(sql, (unread.key,)).fetchone():
        return unread.price, []
    request = rebuild_request(unread.request, RECORDINGS, unread.own_price)
    with suppress(BadInput):
        return Prices().paid(request, reply.completion, unread.call.mode, unread.price)
    return unread.price, []
