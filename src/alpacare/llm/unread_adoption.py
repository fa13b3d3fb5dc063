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
    price, odd = _price(unread, reply)
    call = unread.call.model_copy(update={"warnings": [*reply.odd_bytes, *odd]})
    entry = Entry(
        key=unread.key,
        request=unread.request,
        response=reply.raw,
        received=unread.received,
        price=price,
        call=call,
    )
    if ledger.insert(entry, paid_here=True):
        sql = ledger.connection
        sql.execute("DELETE FROM unread WHERE id = ?", (number,))
        sql.execute("UPDATE money SET spent = spent + ?", (price - unread.price,))


def _price(unread: UnreadReply, reply: Reply) -> tuple[float, list[str]]:
    """Give the price by the reply's token counts, or the booked one if the model's is not known."""
    request = rebuild_request(unread.request, RECORDINGS, unread.own_price)
    with suppress(BadInput):
        return Prices().paid(request, reply.completion, unread.call.mode, unread.price)
    return unread.price, []
