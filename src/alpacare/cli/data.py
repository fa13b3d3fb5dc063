"""`alpacare fetch` and `alpacare import`: published data, and the user's own data."""

from pathlib import Path
from typing import Literal

import click

from alpacare.core.command import FILE, Stage
from alpacare.core.errors import BadInput
from alpacare.core.texts import escape_controls


@click.command(cls=Stage)
@click.argument("name")
def fetch(name: str) -> None:
    """Download published data that configs/datasets.yaml names: tests, responses or seeds.

    \b
    Examples:
      alpacare fetch medinstruct-test
      alpacare fetch medinstruct-52k
    """
    from alpacare.datasets.imports import fetch_dataset

    for line in fetch_dataset(name):
        click.echo(escape_controls(line))


@click.command("import", cls=Stage)
@click.argument("stage", type=click.Choice(["instructions", "responses"]))
@click.argument("file", type=FILE)
@click.option("--name", help="Its name here; default: the file's.")
@click.option("--column", "pairs", multiple=True, metavar="OURS=THEIRS", help="A field's column.")
@click.option("--model", help="Who wrote the answers, if no column says.")
def import_data(
    stage: Literal["instructions", "responses"],
    file: Path,
    name: str | None,
    pairs: tuple[str, ...],
    model: str | None,
) -> None:
    """Start the pipeline from FILE (JSON, JSON Lines, CSV or Parquet) instead of STAGE.

    \b
    Examples:
      alpacare import responses ours.csv --column instruction=question --model gpt-4o
      alpacare import instructions questions.jsonl
    """
    from alpacare.datasets.imports import import_file
    from alpacare.pipeline.params import read_params
    from alpacare.pipeline.presets import set_values
    from alpacare.sharing.tracked import dvc_file

    columns = _read_pairs(pairs)
    read_params()  # an error there is reported before anything is written
    path, lines = import_file(stage, file, name, columns, model)
    source = f"imported/{path.stem}"
    lines += set_values({f"sources.{stage}": source}, source)
    lines += [f"next: `make repro`; commit params.yaml and {dvc_file(path)}"]
    lines += ["back: `make preset NAME=demo` (or another preset)"]
    click.echo(escape_controls("\n".join(lines)))


def _read_pairs(pairs: tuple[str, ...]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for pair in pairs:
        ours, sign, theirs = pair.partition("=")
        if not (sign and ours and theirs) or ours in columns:
            raise BadInput(f"--column {pair}: write OURS=THEIRS, each field once")
        columns[ours] = theirs
    return columns
