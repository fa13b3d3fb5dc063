"""`alpacare ledger ...`: show the paid answers, check them, share them, remove unused ones."""

from pathlib import Path

import click

from alpacare.core.command import FILE, Stage


@click.group()
def ledger() -> None:
    """The ledger, a cache of paid answers: statistics, checks, packs."""


@ledger.command(cls=Stage)
def stats() -> None:
    """Count the answers by server and model, with tokens, dollars and what is under way.

    \b
    Example:
      alpacare ledger stats
    """
    from alpacare.llm.maintenance import open_ledger, print_stats

    with open_ledger() as ledger:
        print_stats(ledger)


@ledger.command(cls=Stage)
def verify() -> None:
    """Read every answer and check it against its key and digest; name each damaged one.

    \b
    Example:
      alpacare ledger verify
    """
    from alpacare.llm.maintenance import open_ledger, verify_ledger

    with open_ledger() as ledger:
        click.echo(f"{verify_ledger(ledger)} answers, all as they were received")


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
    from alpacare.llm.maintenance import intact_entries, open_ledger
    from alpacare.pipeline.plan import used_keys

    with open_ledger() as ledger:
        wanted = used_keys(stage) if stage else None
        entries = (e for e in intact_entries(ledger) if wanted is None or e.key in wanted)
        click.echo(f"{write_pack(pack, entries)} answers written to {pack}")


@ledger.command("import", cls=Stage)
@click.argument("packs", type=FILE, nargs=-1, required=True)
def import_packs(packs: tuple[Path, ...]) -> None:
    """Import the answers in PACKS into the ledger; each pack whole or not at all.

    \b
    Example:
      alpacare ledger import data/packs/responses.jsonl
    """
    from alpacare.llm.ledger import Ledger, default_path
    from alpacare.llm.maintenance import import_pack

    with Ledger(default_path()) as ledger:
        for pack in packs:
            click.echo(import_pack(ledger, pack))


@ledger.command(cls=Stage)
@click.argument("batch")
def forget(batch: str) -> None:
    """Give up a BATCH that its server no longer knows; its worst price counts as paid.

    \b
    Example:
      alpacare ledger forget batch_68f0c1
    """
    from alpacare.llm.maintenance import forget_batch, open_ledger

    with open_ledger() as ledger:
        click.echo(forget_batch(ledger, batch))


@ledger.command(cls=Stage)
@click.argument("pack", type=FILE)
@click.option("--yes", is_flag=True, help="Do it; without this, only count what would move.")
def gc(pack: Path, yes: bool) -> None:
    """Move the answers that today's pipeline does not use out of the ledger, into PACK.

    Nothing is lost: `alpacare ledger import PACK` restores them. Answers of the student by a
    server (generations.engine: server) move too; they cost nothing.

    \b
    Example:
      alpacare ledger gc old-answers.jsonl --yes
    """
    from alpacare.llm.maintenance import move_unused, open_ledger
    from alpacare.pipeline.plan import used_keys

    with open_ledger() as ledger:
        click.echo(move_unused(ledger, used_keys(None), pack, yes))
