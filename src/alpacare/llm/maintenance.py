"""Looking after the ledger: what it holds, whether it is sound, what may leave it."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import click
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from alpacare.core.errors import BadInput
from alpacare.llm.cache_pack import Entry, read_pack, write_pack
from alpacare.llm.ledger import Ledger, default_path
from alpacare.llm.request import content_key
from alpacare.llm.reservations import Accounts

_NAMED = 10  # damaged answers named one by one

_BY_MODEL = """
SELECT json_extract(request, '$.endpoint'), json_extract(request, '$.body.model'), count(*),
       total(coalesce(json_extract(response, '$.usage.prompt_tokens'), 0)),
       total(coalesce(json_extract(response, '$.usage.completion_tokens'), 0)),
       total(price), max(received)
FROM entries GROUP BY 1, 2 ORDER BY 1, 2
"""


def open_ledger() -> Ledger:
    """Open the ledger that is there.

    Raises:
        BadInput: there is none.
    """
    path = default_path()
    if not path.exists():
        raise BadInput(f"{path}: no ledger yet; the first paid or imported answer makes one")
    return Ledger(path)


def print_stats(ledger: Ledger) -> None:
    """Print answers, tokens and dollars by server and model, and what is under way."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("server", overflow="fold")
    table.add_column("model", no_wrap=True)
    for name in ("answers", "tokens in", "tokens out", "paid", "last"):
        table.add_column(name, justify="right")
    with ledger.readable():
        for server, model, count, inputs, outputs, paid, last in ledger.connection.execute(
            _BY_MODEL
        ):
            numbers = (f"{count:,}", f"{inputs:,.0f}", f"{outputs:,.0f}", f"${paid:,.2f}")
            table.add_row(server, model, *numbers, last[:10])
        (batches,) = ledger.connection.execute("SELECT count(*) FROM batches").fetchone()
    console = Console(highlight=False)
    console.print(table)
    console.print(_money(ledger, batches))


def _money(ledger: Ledger, batches: int) -> str:
    money = Accounts(ledger).money()
    lines = [
        f"paid ${money.spent:.4f} from here (what packs brought, others paid)",
        f"unsure ${money.unsure:.4f} at most, for unanswered calls that may have been billed",
        f"under way: {batches} batches, ${money.in_batches + money.in_flight:.4f} at most",
    ]
    if money.lost:
        lines.append(f"{money.lost} calls were in flight when their run was killed")
    return "\n".join(lines)


def check_ledger(ledger: Ledger) -> int:
    """Check the file's structure and every answer; say how many there are.

    Raises:
        BadInput: what is damaged, by name.
    """
    with ledger.readable():
        (told,) = ledger.connection.execute("PRAGMA integrity_check").fetchone()
        if told != "ok":
            raise sqlite3.DatabaseError(told)
    keys = list(_keys(ledger))
    damaged = [f"{key[:12]} ({what})" for key in keys if (what := _damage(ledger, key))]
    if damaged:
        more = f" and {len(damaged) - _NAMED} more" if len(damaged) > _NAMED else ""
        raise BadInput(
            f"{ledger.path}: {len(damaged)} of {len(keys)} answers are damaged: "
            f"{', '.join(damaged[:_NAMED])}{more}; nothing uses them until they are mended: import "
            "a pack that holds them"
        )
    return len(keys)


def _keys(ledger: Ledger) -> Iterator[str]:
    with ledger.readable():
        for (key,) in ledger.connection.execute("SELECT key FROM entries ORDER BY key"):
            yield key


def sound_entries(ledger: Ledger) -> Iterator[Entry]:
    """Every entry that is as it was received; name on stderr what is not."""
    try:
        for key in _keys(ledger):
            if what := _damage(ledger, key):
                click.echo(f"left out: {key[:12]} ({what})", err=True)
            else:
                yield ledger.entry(key)
    except BadInput as error:  # a page that cannot be read: what stands behind it is lost
        click.echo(f"left out: the rest; {error}", err=True)


def _damage(ledger: Ledger, key: str) -> str:
    """Say what is wrong with an entry, "" if nothing is."""
    try:
        ledger.get(key)
        (request,) = ledger.connection.execute(
            "SELECT request FROM entries WHERE key = ?", (key,)
        ).fetchone()
        return "" if content_key(json.loads(request)) == key else "its request was changed"
    except (BadInput, ValueError):
        return "its answer was changed"


def import_pack(ledger: Ledger, pack: Path) -> str:
    """Take a pack in, whole or not at all; a damaged answer gives way to the pack's."""
    new = kept = mended = 0
    with ledger.transaction():
        for entry in read_pack(pack):
            if ledger.insert(entry):
                new += 1
            elif _damage(ledger, entry.key):
                _replace(ledger, entry)
                mended += 1
            else:
                kept += 1
    text = f"{pack}: {new} answers taken in, {kept} were there already"
    return f"{text}, {mended} damaged ones mended" if mended else text


def _replace(ledger: Ledger, entry: Entry) -> None:
    ledger.connection.execute("DELETE FROM entries WHERE key = ?", (entry.key,))
    ledger.insert(entry)


def forget_batch(ledger: Ledger, id: str) -> str:
    """Strike a batch out; whoever wants its answers buys them anew."""
    sql = ledger.connection
    with ledger.transaction():
        found = sql.execute("DELETE FROM batches WHERE id = ? RETURNING name", (id,)).fetchall()
        if not found:
            raise BadInput(f"{ledger.path}: no batch '{id}' is under way")
        (worst,) = sql.execute(
            "SELECT total(worst) FROM items WHERE batch = ?", found[0]
        ).fetchone()
        count = sql.execute("DELETE FROM items WHERE batch = ?", found[0]).rowcount
        sql.execute("UPDATE money SET unsure = unsure + ?", (worst,))
    return f"{id}: {count} requests given up, ${worst:.4f} counted as paid"


def move_out(ledger: Ledger, used: set[str], pack: Path, really: bool) -> str:
    """Move what nobody uses into a pack: written and synced first, deleted then."""
    if pack.exists():
        raise BadInput(f"{pack}: exists already; name a new file")
    gone = [key for key in _keys(ledger) if key not in used]
    if not really:
        return f"{len(gone)} answers would move to {pack}; add --yes to do it"
    write_pack(pack, (entry for entry in ledger.entries() if entry.key not in used))
    try:
        with ledger.transaction():
            ledger.connection.executemany(
                "DELETE FROM entries WHERE key = ?", ((key,) for key in gone)
            )
        ledger.connection.execute("VACUUM")
    except (BadInput, ValidationError):
        pack.unlink()
        raise
    return f"{len(gone)} answers moved to {pack}"
