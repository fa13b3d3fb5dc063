"""`alpacare fetch` and `alpacare import`: published data, and the user's own data."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from alpacare.core.command import FILE, Stage
from alpacare.core.errors import BadInput
from alpacare.core.texts import escape_controls

if TYPE_CHECKING:
    from alpacare.datasets.published_weights import PublishedWeights


@click.command(cls=Stage)
@click.argument("name")
def fetch(name: str) -> None:
    """Download what configs/datasets.yaml names: tests, responses, seeds or weights.

    Weights become a contestant, and are trained no further.

    \b
    Examples:
      alpacare fetch medinstruct-test
      alpacare fetch medinstruct-52k
      alpacare fetch alpacare-7b
    """
    from alpacare.core.files import read_text
    from alpacare.datasets.catalogue import CATALOGUE
    from alpacare.datasets.imports import fetch_dataset
    from alpacare.datasets.published_weights import find_weights

    before = read_text(CATALOGUE)
    weights = find_weights(name)
    for line in _fetch_contestant(name, weights) if weights else fetch_dataset(name):
        click.echo(escape_controls(line))
    if read_text(CATALOGUE) != before:
        click.echo(f"what it is known by from now on is in {CATALOGUE}: commit that too")


def _fetch_contestant(name: str, weights: "PublishedWeights") -> Iterator[str]:
    from alpacare.datasets.published_weights import contestant, fetch_weights
    from alpacare.pipeline.params import read_params
    from alpacare.pipeline.presets import set_values

    params, model = read_params(), contestant(name)  # an error there comes before a download
    yield from fetch_weights(name, weights)
    local, rivals = params.models.local, params.judgments.contestants
    yield from set_values(
        {
            "models.local": [*dict.fromkeys([*local, model])],
            "judgments.contestants": [*dict.fromkeys([*rivals, model])],
        },
        model,
    )
    yield "next: `make repro`: it answers and is judged as students are; then commit params.yaml,"
    yield f"      prompts/local_models/{model} and models/published/{name}.dvc"


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
