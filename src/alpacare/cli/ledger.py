"""`alpacare ledger ...`: show the paid answers, check them, share them, remove unused ones."""

from pathlib import Path

import click

from alpacare.core.command import FILE, Stage, Verbs
from alpacare.core.errors import BadInput
from alpacare.core.texts import counted, escape_controls


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
def ledger() -> None:
    """Paid answers: statistics, checks, prices, packs."""


@ledger.command(cls=Stage)
def stats() -> None:
    """Count the answers by server and model, tokens and dollars.

    Also what is under way.

    \b
    Example:
      alpacare ledger stats
    """
    from alpacare.llm.maintenance import open_ledger, print_stats

    with open_ledger() as ledger:
        print_stats(ledger)


@ledger.command(cls=Stage)
@click.argument("packs", type=FILE, nargs=-1)
def verify(packs: tuple[Path, ...]) -> None:
    """Check every answer against its key and digest.

    Those of the ledger, or of PACKS.

    Each damaged one is named. A pack's last digest covers all of it: publish it where others
    can look it up.

    \b
    Examples:
      alpacare ledger verify
      alpacare ledger verify data/packs/*.jsonl
    """
    from alpacare.llm.maintenance import open_ledger, verify_ledger, verify_pack

    for pack in packs:
        click.echo(verify_pack(pack))
    if packs:
        return
    with open_ledger() as ledger:
        click.echo(f"{counted(verify_ledger(ledger), 'answer')}, all as they were received")


@ledger.command("export", cls=Stage)
@click.argument("pack", type=FILE)
@click.option("--stage", help="Only the answers that this stage uses today.")
def export_pack(pack: Path, stage: str | None) -> None:
    """Write the ledger's answers to PACK.

    DVC can version it, or a colleague import it.

    \b
    Example:
      alpacare ledger export --stage responses data/packs/responses.jsonl
    """
    from alpacare.llm.cache_pack import write_pack
    from alpacare.llm.maintenance import intact_entries, open_ledger
    from alpacare.pipeline.quoting.plan import used_keys

    with open_ledger() as ledger:
        wanted = used_keys(stage) if stage else None
        entries = (e for e in intact_entries(ledger) if wanted is None or e.key in wanted)
        end = write_pack(pack, entries)
    click.echo(f"{counted(end.end, 'answer')} written to {pack}; last digest {end.digest}")


@ledger.command("import", cls=Stage)
@click.argument("packs", type=FILE, nargs=-1, required=True)
def import_packs(packs: tuple[Path, ...]) -> None:
    """Import the answers in PACKS into the ledger.

    Each pack whole or not at all.

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
@click.argument("key", default="")
def unread(key: str) -> None:
    """List the paid replies that cannot be read.

    With KEY, show them as they came.

    \b
    Example:
      alpacare ledger unread
    """
    from alpacare.llm.maintenance import open_ledger, show_unread

    with open_ledger() as ledger:
        for line in show_unread(ledger, key):
            click.echo(escape_controls(line))


@ledger.command("ask-again", cls=Stage)
@click.argument("keys", nargs=-1)
def ask_again(keys: tuple[str, ...]) -> None:
    """Let the next run pay again for what cannot be read.

    It asks those requests again whose replies cannot be read. Without KEYS all of them; the replies
    are kept.

    \b
    Example:
      alpacare ledger ask-again 3d5e0a1b2c4d
    """
    from alpacare.llm.maintenance import open_ledger
    from alpacare.llm.unread import allow_again

    with open_ledger() as ledger:
        click.echo(
            f"{counted(allow_again(ledger, keys), 'request')} will be asked, and paid for, again"
        )


@ledger.command(cls=Stage)
@click.argument("key", default="")
@click.option("--set", "dollars", type=float, help="The right price.")
@click.option("--why", help="Why the price was wrong; it is kept with the correction.")
def price(key: str, dollars: float | None, why: str | None) -> None:
    """Show or correct what the answer to the request KEY cost.

    Without KEY, list the most expensive answers.

    A correction changes what this ledger has paid, and so what BUDGET still allows; who made it,
    when and why is kept in the ledger.

    \b
    Example:
      alpacare ledger price 3d5e0a1b2c4d --set 0.0004 --why "billed by characters"
    """
    from alpacare.llm.maintenance import open_ledger
    from alpacare.llm.price_correction import correct_price, list_dearest, show_price

    if (dollars is None) != (why is None) or (why is not None and not (key and why.strip())):
        raise BadInput("a correction needs all three: KEY, --set DOLLARS and --why TEXT")
    with open_ledger() as ledger:
        if dollars is not None and why is not None:
            click.echo(correct_price(ledger, key, dollars, why))
        else:
            for line in show_price(ledger, key) if key else list_dearest(ledger):
                click.echo(escape_controls(line))


@ledger.command(cls=Stage)
@click.argument("batch")
def forget(batch: str) -> None:
    """Give up a BATCH that its server no longer knows.

    Its highest possible price counts as paid.

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
    """Move the answers that are no longer used into PACK.

    Those that today's pipeline does not use leave the ledger.

    Nothing is lost: `alpacare ledger import PACK` restores them. Answers of the student by a
    server (generations.engine: server) move too; they cost nothing.

    \b
    Example:
      alpacare ledger gc old-answers.jsonl --yes
    """
    from alpacare.llm.maintenance import move_unused, open_ledger
    from alpacare.pipeline.quoting.plan import used_keys

    with open_ledger() as ledger:
        click.echo(move_unused(ledger, used_keys(None), pack, yes))
