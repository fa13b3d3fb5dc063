"""`alpacare publish`: data and weights for others."""

from pathlib import Path
from typing import Any

import click

from alpacare.cli.names import STUDENT
from alpacare.core.command import FILE, Stage


@click.command(cls=Stage)
@click.option("--to", type=click.Choice(["folder", "hub"]), required=True, help="Kind of target.")
@click.option("--out", type=FILE, help="The folder; gets dataset/ and model/.")
@click.option("--student", type=STUDENT, metavar="NAME", help="Whose weights; default: the first.")
@click.option("--seed", type=int, help="Its training seed; default: the first.")
@click.option("--dataset", metavar="ORG/NAME", help="The dataset's name on the Hub.")
@click.option("--model", metavar="ORG/NAME", help="The model's name on the Hub.")
@click.option(
    "--licence", "--license", metavar="SPDX", help="Say CC-BY-4.0; or `other`, with its text."
)
@click.option(
    "--model-licence", "--model-license", metavar="SPDX", help="The model's, if it is another."
)
@click.option(
    "--licence-text", "--license-text", type=FILE, help="The text of the licence `other`."
)
@click.option("--public", is_flag=True, help="On the Hub: public; without this, private.")
@click.option("--yes", is_flag=True, help="Do it; without this, only list what would be written.")
def publish(to: str, out: Path | None, **options: Any) -> None:
    """Publish the responses and a student's weights, with cards.

    \b
    Examples:
      alpacare publish --to folder --out published --licence CC-BY-4.0
      alpacare publish --to folder --out shared --student half-rows --licence MIT
      alpacare publish --to hub --dataset our-lab/tasks --model our-lab/student \\
          --licence CC-BY-NC-4.0 --yes
    """
    from alpacare.publishing.publish import PublishOptions, publish_packages

    for line in publish_packages(PublishOptions(to=to, out=out, **options)):
        click.echo(line)
