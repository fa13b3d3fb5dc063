"""`alpacare fetch`, `import`, `test-set`, `benchmark`: published data, and the user's own data."""

import re
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from alpacare.cli.names import DATASET, IMPORTED
from alpacare.core.command import Stage
from alpacare.core.errors import BadInput
from alpacare.core.texts import escape_controls

if TYPE_CHECKING:
    from alpacare.datasets.published_weights import PublishedWeights
    from alpacare.datasets.sources import Part

_FIELD = re.compile(r"(?:^|\s)([a-z]+)=")


@click.command(cls=Stage)
@click.argument("name", type=DATASET, metavar="DATASET")
def fetch(name: str) -> None:
    """Download published tests, benchmarks, responses or weights.

    DATASET is one of configs/datasets.yaml. Weights become a contestant, and are trained no
    further.

    \b
    Examples:
      alpacare fetch medinstruct-test
      alpacare fetch medinstruct-52k
      alpacare fetch medqa
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


def source_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options on what is read of a file; it gets `columns` and `part`."""

    @click.option("--column", "pairs", multiple=True, metavar="OURS=THEIRS", help="A column.")
    @click.option("--columns", metavar="TEXT", help="Several: 'input=Their name output=Other'.")
    @click.option("--split", help="Of a dataset with several, as train.")
    @click.option("--config", help="Of a dataset with several; some pages call it subset.")
    @wraps(command)
    def with_source(
        pairs: tuple[str, ...],
        columns: str | None,
        split: str | None,
        config: str | None,
        **others: Any,
    ) -> None:
        from alpacare.datasets.sources import Part

        named = _read_pairs([*pairs, *_split_pairs(columns or "")])
        command(columns=named, part=Part(split, config), **others)

    return with_source


@click.command("import", cls=Stage)
@click.argument("stage", type=IMPORTED)
@click.argument("source", metavar="FILE")
@click.option("--name", help="Its name here; default: the file's.")
@click.option("--model", help="Who wrote the answers, if no column says.")
@source_options
def import_data(
    stage: Literal["instructions", "responses"],
    source: str,
    name: str | None,
    model: str | None,
    columns: dict[str, str],
    part: "Part",
) -> None:
    """Start the pipeline from your own FILE instead of STAGE.

    FILE is JSON, JSON Lines, CSV, TSV or Parquet, also with .gz; a folder that `datasets` wrote; or
    a dataset of the Hugging Face Hub, hf://ORG/NAME or hf://ORG/NAME@REVISION.

    \b
    Examples:
      alpacare import responses my.csv --column instruction=question --model nurse
      alpacare import instructions questions.jsonl
      alpacare import responses hf://ORG/NAME@COMMIT --split train --model nurse
    """
    from alpacare.datasets.imports import import_file
    from alpacare.pipeline.params import read_params
    from alpacare.pipeline.presets import set_values
    from alpacare.sharing.tracked import dvc_file

    read_params()  # an error there is reported before anything is written
    path, lines = import_file(stage, source, name, columns, model, part)
    imported = f"imported/{path.stem}"
    lines += set_values({f"sources.{stage}": imported}, imported)
    lines += [f"next: `make repro`; commit params.yaml and {dvc_file(path)}"]
    lines += ["back: `make preset NAME=demo` (or another preset)"]
    click.echo(escape_controls("\n".join(lines)))


@click.command("test-set", cls=Stage)
@click.argument("name")
@click.argument("files", nargs=-1, metavar="[[WHO=]FILE]...")
@source_options
def test_set(name: str, files: tuple[str, ...], columns: dict[str, str], part: "Part") -> None:
    """Import a test set from FILES, or from the catalogue.

    It becomes data/tests/NAME.jsonl, tracked with DVC. Without FILES, those in
    configs/datasets.yaml are downloaded. FILES are what `alpacare import` reads; the questions are
    those of the first that has any. WHO gave the answers in the field `output` or `response`; the
    right options of multiple-choice files are those of answer-key.

    \b
    Examples:
      alpacare test-set medinstruct-test
      alpacare test-set ours my.csv gpt-4=its.json --column instruction=question
      alpacare test-set medmcqa hf://ORG/NAME@REVISION --split validation
    """
    from alpacare.core.settings import read_yaml
    from alpacare.datasets.test_set_import import import_test_set

    if (params := Path("params.yaml")).exists():
        read_yaml(params)  # DVC, which tracks the file, would say of broken YAML more than a line
    lines = import_test_set(name, files, columns, part)
    click.echo(escape_controls("\n".join(lines)))


@click.command(cls=Stage)
@click.argument("name")
@click.argument("files", nargs=-1, metavar="[[SUBJECT=]FILE]...")
@source_options
def benchmark(name: str, files: tuple[str, ...], columns: dict[str, str], part: "Part") -> None:
    """Import a benchmark from FILES, or from the catalogue.

    It becomes data/benchmarks/NAME.jsonl, tracked with DVC. Without FILES, those in
    configs/datasets.yaml are downloaded. FILES are what `alpacare import` reads: questions with
    options and the right one, or with a text as answer. benchmarks/NAME is written if it is not
    there.

    \b
    Examples:
      alpacare benchmark ours questions.csv
      alpacare benchmark ours questions.jsonl --columns 'question=stem answer=key'
      alpacare benchmark two anatomy=anatomy_test.csv genetics=genetics_test.csv
      alpacare benchmark medqa
    """
    from alpacare.datasets.benchmark_import import import_benchmark

    lines = import_benchmark(name, files, columns, part)
    click.echo(escape_controls("\n".join(lines)))


@click.command(cls=Stage)
@click.argument("name")
@click.argument("file", required=False)
def labels(name: str, file: str | None) -> None:
    """Import answers that people have labelled.

    They become data/labels/NAME.jsonl, tracked with DVC.

    Without FILE, what configs/datasets.yaml names is downloaded. FILE is in the form of
    HealthBench's meta-evaluation. `alpacare agreement` measures judges by rubrics against it.

    \b
    Examples:
      alpacare labels healthbench-labels
      alpacare labels ours labelled.jsonl
    """
    from alpacare.datasets.labels_import import import_labels

    click.echo(escape_controls("\n".join(import_labels(name, file))))


def _read_pairs(pairs: list[str]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for pair in pairs:
        ours, sign, theirs = pair.partition("=")
        if not (sign and ours and theirs) or ours in columns:
            raise BadInput(f"--column {pair}: write OURS=THEIRS, each field once")
        columns[ours] = theirs
    return columns


def _split_pairs(text: str) -> list[str]:
    """Split "instruction=Patient question output=Answer" where a field's name and "=" begin."""
    starts = [found.start(1) for found in _FIELD.finditer(text)] or [0]
    ends = [*starts[1:], len(text)]
    parts = [text[start:end].strip() for start, end in zip(starts, ends, strict=True)]
    return [part for part in [text[: starts[0]].strip(), *parts] if part]
