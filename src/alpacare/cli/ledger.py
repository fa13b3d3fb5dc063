"""`alpacare ledger ...`: look at the paid answers, check them, share them, clear them out."""

from pathlib import Path

import click

from alpacare.core.command import FILE, Stage


@click.group()
def ledger() -> None:
    """The ledger of paid answers: statistics, checks, packs."""


@ledger.command(cls=Stage)
def stats() -> None:
    """Count the answers by server and model, with tokens, dollars and what is under way.

    \b
    Example:
      alpacare ledger stats
    """
    from alpacare.llm.maintenance import open_ledger, print_stats

    with open_ledger() as books:
        print_stats(books)


@ledger.command(cls=Stage)
def verify() -> None:
    """Read every answer and check it against its key and digest; name each damaged one.

    \b
    Example:
      alpacare ledger verify
    """
    from alpacare.llm.maintenance import check_ledger, open_ledger

    with open_ledger() as books:
        click.echo(f"{check_ledger(books)} answers, all as they were received")


@ledger.command("export", cls=Stage)
@click.argument("pack", type=FILE)
@click.option("--stage", help="Only the answers that this stage uses today.")
def export_pack(pack: Path, stage: str | None) -> None:
    """Write the ledger's answers to PACK, to be versioned by DVC or given to a colleague.

    \b
    Example:
      alpacare ledger export --stage responses data/packs/responses.jsonl
    """
    from alpacare.llm.cache_pack import write_pack
    from alpacare.llm.maintenance import open_ledger, sound_entries
    from alpacare.pipeline.plan import used_keys

    with open_ledger() as books:
        wanted = used_keys(stage) if stage else None
        entries = (e for e in sound_entries(books) if wanted is None or e.key in wanted)
        click.echo(f"{write_pack(pack, entries)} answers written to {pack}")


@ledger.command("import", cls=Stage)
@click.argument("packs", type=FILE, nargs=-1, required=True)
def import_packs(packs: tuple[Path, ...]) -> None:
    """Take the answers in PACKS into the ledger; each pack whole or not at all.

    \b
    Example:
      alpacare ledger import data/packs/responses.jsonl
    """
    from alpacare.llm.ledger import Ledger, default_path
    from alpacare.llm.maintenance import import_pack

    with Ledger(default_path()) as books:
        for pack in packs:
            click.echo(import_pack(books, pack))


@ledger.command(cls=Stage)
@click.argument("batch")
def forget(batch: str) -> None:
    """Give up a BATCH that its server no longer knows; its worst price counts as paid.

    \b
    Example:
      alpacare ledger forget batch_68f0c1
    """
    from alpacare.llm.maintenance import forget_batch, open_ledger

    with open_ledger() as books:
        click.echo(forget_batch(books, batch))


@ledger.command(cls=Stage)
@click.argument("pack", type=FILE)
@click.option("--yes", is_flag=True, help="Do it; without this, only say what would go.")
def gc(pack: Path, yes: bool) -> None:
    """Move the answers that today's pipeline does not use out of the ledger, into PACK.

    Nothing is lost: `alpacare ledger import PACK` brings them back. Answers of the student by a
    server (generations.engine: server) go too; they cost nothing.

    \b
    Example:
      alpacare ledger gc old-answers.jsonl --yes
    """
    from alpacare.llm.maintenance import move_out, open_ledger
    from alpacare.pipeline.plan import used_keys

    with open_ledger() as books:
        click.echo(move_out(books, used_keys(None), pack, yes))
