"""Maintenance of the ledger: statistics, checks, imports, removal of unused answers."""

from collections.abc import Iterator
from pathlib import Path

import click
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from alpacare.core.errors import BadInput
from alpacare.core.texts import counted
from alpacare.llm.cache_pack import Entry, find_problem, pack_digest, read_pack, write_pack
from alpacare.llm.ledger import Ledger, default_path
from alpacare.llm.reply import CAPPED
from alpacare.llm.request import content_key
from alpacare.llm.reservations import Reservations
from alpacare.llm.unread import unread_replies

_OLD_PACK = "it is without digests, from an earlier version"
_LISTED = 10  # damaged answers named one by one

_BY_MODEL = """
SELECT json_extract(request, '$.endpoint'), json_extract(request, '$.body.model'), count(*),
       total(coalesce(json_extract(reply, '$.usage.prompt_tokens'), 0)),
       total(coalesce(json_extract(reply, '$.usage.completion_tokens'), 0)),
       total(price), max(received)
FROM (
    SELECT *, CASE WHEN json_valid(response) AND instr(coalesce(call, ''), ?) = 0
        THEN response ELSE '{}' END AS reply  -- else its counts are no numbers, or absurd ones
    FROM entries
) GROUP BY 1, 2 ORDER BY 1, 2
"""


def open_ledger() -> Ledger:
    """Open the existing ledger.

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
        rows = ledger.connection.execute(_BY_MODEL, (CAPPED,))
        for server, model, count, inputs, outputs, paid, last in rows:
            numbers = (f"{count:,}", f"{inputs:,.0f}", f"{outputs:,.0f}", f"${paid:,.2f}")
            table.add_row(server, model, *numbers, last[:10])
        (batches,) = ledger.connection.execute("SELECT count(*) FROM batches").fetchone()
        sql = "SELECT count(*), total(price) FROM unread"
        unread, unread_price = ledger.connection.execute(sql).fetchone()
    console = Console(highlight=False)
    console.print(table)
    spending = Reservations(ledger).spending()
    console.print(
        f"paid ${spending.spent:.4f} from here (answers of imported packs were paid by others)\n"
        f"unsure ${spending.unsure:.4f} at most, for unanswered calls that may have been billed\n"
        f"under way: {counted(batches, 'batch', 'batches')}, "
        f"${spending.in_batches + spending.in_flight:.4f} at most"
    )
    if unread:
        console.print(
            f"{counted(unread, 'reply', 'replies')} cannot be read (${unread_price:.4f} of what is "
            "paid): `alpacare ledger unread` shows them"
        )
    if spending.lost:
        console.print(f"runs were killed with {counted(spending.lost, 'call')} in flight")


def verify_ledger(ledger: Ledger) -> int:
    """Check the file's structure and every answer; return how many there are.

    Raises:
        BadInput: answers are damaged; the message names them.
    """
    with ledger.readable():
        ledger.run_check("integrity_check")
    keys = list(ledger.all_keys())
    found = ((key, _read_intact(ledger, key)) for key in keys)
    damaged = [f"{key[:12]} ({what})" for key, what in found if isinstance(what, str)]
    damaged += [
        f"{reply.key[:12]} (its unread reply was changed)"
        for _, reply in unread_replies(ledger)
        if not reply.intact
    ]
    if damaged:
        more = f" and {len(damaged) - _LISTED} more" if len(damaged) > _LISTED else ""
        raise BadInput(
            f"{ledger.path}: {len(damaged)} of {len(keys)} answers are damaged: "
            f"{', '.join(damaged[:_LISTED])}{more}; no stage uses a changed answer until it is "
            "replaced: import a pack that holds it"
        )
    return len(keys)


def show_unread(ledger: Ledger, key: str = "") -> Iterator[str]:
    """Describe each reply that cannot be read, a line each; with a key, also give the bytes."""
    shown = False
    for _, reply in unread_replies(ledger, key):
        shown = True
        state = "not asked again" if reply.waiting else "may be asked again"
        yield (
            f"{reply.key[:12]}  {reply.received}  {reply.request['body']['model']}  "
            f"${reply.price:.6f} at most  {len(reply.reply):,} bytes, {reply.problem}; {state}"
        )
        if key:
            yield reply.reply.decode("utf-8", "backslashreplace")
    if not shown:
        yield "no reply that cannot be read" + (f" has a key that begins '{key}'" if key else "")


def intact_entries(ledger: Ledger) -> Iterator[Entry]:
    """Yield every entry that is as it was received; name the others on stderr."""
    try:
        for key in ledger.all_keys():
            entry = _read_intact(ledger, key)
            if isinstance(entry, str):
                click.echo(f"left out: {key[:12]} ({entry})", err=True)
            else:
                yield entry
    except BadInput as error:  # a page that cannot be read: what follows it is lost
        click.echo(f"left out: the rest; {error}", err=True)


def _read_intact(ledger: Ledger, key: str) -> Entry | str:
    """Read an entry; where something is wrong with it, say what."""
    try:
        entry = ledger.entry(key)
    except (BadInput, ValueError):
        return "its answer was changed"
    if content_key(entry.request) != key:
        return "its request was changed"
    return find_problem(entry) or entry


def import_pack(ledger: Ledger, pack: Path) -> str:
    """Import a pack, whole or not at all; a damaged answer is replaced by the pack's."""
    new = known = replaced = without_digest = 0
    with ledger.transaction():
        for entry in read_pack(pack):
            without_digest += entry.digest is None
            if ledger.insert(entry):
                new += 1
            elif isinstance(_read_intact(ledger, entry.key), str):
                ledger.connection.execute("DELETE FROM entries WHERE key = ?", (entry.key,))
                ledger.insert(entry)
                replaced += 1
            else:
                known += 1
    text = f"{pack}: {counted(new, 'answer')} imported, {known} were there already"
    text += f", {counted(replaced, 'damaged one')} replaced" if replaced else ""
    return f"{text}; {_OLD_PACK}" if without_digest else text


def verify_pack(pack: Path) -> str:
    """Check every line of a pack; give a line with its last digest, to be published.

    Raises:
        BadInput: the first line that is not as it was written.
    """
    digests = [entry.digest for entry in read_pack(pack)]
    if None in digests:
        return f"{pack}: {counted(len(digests), 'answer')}; {_OLD_PACK}: keys, prices and times fit"
    end = f"last digest {pack_digest(digests)}"
    return f"{pack}: {counted(len(digests), 'answer')}, all as they were written; {end}"


def forget_batch(ledger: Ledger, id: str) -> str:
    """Delete the record of a batch; its requests can then be sent again."""
    sql = ledger.connection
    with ledger.transaction():
        found = sql.execute("DELETE FROM batches WHERE id = ? RETURNING name", (id,)).fetchall()
        if not found:
            raise BadInput(f"{ledger.path}: no batch '{id}' is under way")
        total = "SELECT total(worst) FROM items WHERE batch = ?"
        (worst,) = sql.execute(total, found[0]).fetchone()
        count = sql.execute("DELETE FROM items WHERE batch = ?", found[0]).rowcount
        sql.execute("UPDATE money SET unsure = unsure + ?", (worst,))
    return f"{id}: {counted(count, 'request')} given up, ${worst:.4f} counted as paid"


def move_unused(ledger: Ledger, used: set[str], pack: Path, confirmed: bool) -> str:
    """Move unused answers into a pack: it is written and synced before they are deleted."""
    if pack.exists():
        raise BadInput(f"{pack}: exists already; name a new file")
    unused = [key for key in ledger.all_keys() if key not in used]
    if not confirmed:
        return f"{counted(len(unused), 'answer')} would move to {pack}; add --yes to do it"
    write_pack(pack, (entry for entry in ledger.entries() if entry.key not in used))
    try:
        with ledger.transaction():
            ledger.connection.executemany(
                "DELETE FROM entries WHERE key = ?", ((key,) for key in unused)
            )
        ledger.connection.execute("VACUUM")
    except (BadInput, ValidationError):
        pack.unlink()
        raise
    return f"{counted(len(unused), 'answer')} moved to {pack}"
