"""`alpacare remote`, `push`, `pull`: data, weights and paid answers, shared with a team."""

import click

from alpacare.core.command import Stage


@click.command(cls=Stage)
@click.argument("url")
@click.option("--weights", metavar="URL", help="Another remote for checkpoints.")
@click.option("--endpoint-url", metavar="URL", help="Of a server with the protocol of S3 or GCS.")
def remote(url: str, weights: str | None, endpoint_url: str | None) -> None:
    """Share through URL: S3, Google Cloud Storage, SSH or a folder.

    Write s3://BUCKET/FOLDER, gs://BUCKET/FOLDER, ssh://USER@HOST/FOLDER or a path. It is written to
    .dvc/config, which Git has. Keys and passwords are not: see docs/remotes.md.

    \b
    Examples:
      alpacare remote s3://our-lab/alpacare --weights s3://our-weights/alpacare
      alpacare remote /mnt/team/alpacare
    """
    from alpacare.sharing.remotes import set_remotes

    click.echo("\n".join(set_remotes(url, weights, endpoint_url)))


@click.command(cls=Stage)
def push() -> None:
    """Push outputs, DVC's run-cache and the answers you paid for.

    \b
    Example:
      alpacare push
    """
    from alpacare.sharing.transfer import push_all

    for line in push_all():
        click.echo(line)


@click.command(cls=Stage)
def pull() -> None:
    """Pull what colleagues pushed, and the answers they paid for.

    After it `dvc repro` runs nothing that they have run.

    \b
    Example:
      alpacare pull
    """
    from alpacare.sharing.transfer import pull_all

    for line in pull_all():
        click.echo(line)
