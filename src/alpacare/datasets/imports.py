"""`alpacare fetch` and `alpacare import`: a file from elsewhere becomes an input of the pipeline.

data/imported/NAME.jsonl holds the rows and DVC tracks it; the .dvc file in Git has the source and
the licence. Dropped rows are in data/dropped/imported/NAME.jsonl.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_file
from alpacare.core.settings import read_yaml
from alpacare.core.texts import counted
from alpacare.datasets.benchmark_import import import_benchmark
from alpacare.datasets.catalogue import CATALOGUE, PublishedDataset, check_name, find_published
from alpacare.datasets.downloads import download
from alpacare.datasets.json_tables import json_rows
from alpacare.datasets.labels_import import import_labels
from alpacare.datasets.outcome import (
    describe_dropped,
    describe_repairs,
    none_left,
    write_dropped,
)
from alpacare.datasets.row_importer import ImportedRows, ImportStage, RowImporter
from alpacare.datasets.seed_files import read_seeds
from alpacare.datasets.sources import Part, open_source
from alpacare.datasets.tables import read_table_rows
from alpacare.datasets.test_set_import import import_test_set
from alpacare.sharing.tracked import check_replaceable, dvc_file, dvc_track

IMPORTED = Path("data/imported")
SEEDS = Path("data/seeds")


def fetch_dataset(name: str) -> Iterator[str]:
    """Download and import a dataset of configs/datasets.yaml; return lines to print.

    Raises:
        BadInput: an unknown name, the network, another file than expected, a file in the way.
    """
    known = find_published(name)
    if known is None:
        names = ", ".join(read_yaml(CATALOGUE))
        raise BadInput(f"no dataset '{name}' in {CATALOGUE}; there are: {names}")
    if known.kind == "tests":
        return import_test_set(name, [])
    if known.kind == "benchmark":
        return import_benchmark(name, [])
    if known.kind == "labels":
        return import_labels(name, None)
    seeds = known.kind == "seeds"
    path = (SEEDS if seeds else IMPORTED) / f"{name}.jsonl"
    check_replaceable(path)
    return (_fetch_seeds if seeds else _fetch_responses)(name, known, path)


def _fetch_responses(name: str, known: PublishedDataset, path: Path) -> Iterator[str]:
    with _download(known) as (file, meta):
        imported = RowImporter("responses", name, {}, known.model).import_rows(
            read_table_rows(file)
        )
        _check_count(name, known, len(imported.rows) + len(imported.dropped))
        _write(path, imported, meta)
    yield from _report(path, imported)
    yield f"licence: {known.licence}"
    yield f"next: `make preset NAME={name}` where there is one, or in params.yaml set"
    yield f"      sources.responses: imported/{name}; then commit {dvc_file(path)}"
    yield "      (for one student only: `rows.source` in its file, students/NAME.yaml)"


def _fetch_seeds(name: str, known: PublishedDataset, path: Path) -> Iterator[str]:
    """Store published seeds unchanged: the stage `seeds` reads their form."""
    with _download(known) as (file, meta):
        rows = [row for _, row in json_rows(file)]
        _check_count(name, known, len(rows))
        read_seeds(file)  # raises what the stage would raise
        _write_rows(path, rows)
        dvc_track(path, meta)
    yield f"{path}: {counted(len(rows), 'seed task')}"
    yield f"licence: {known.licence}"
    yield f"next: in params.yaml set sources.seeds: seeds/{name}; then commit {dvc_file(path)}"
    yield f"      and {path.parent}/.gitignore"


@contextmanager
def _download(known: PublishedDataset) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Fetch the one file of a dataset; give what its .dvc file is to hold."""
    ((address, sha256),) = known.files.items()
    meta = {"source": address, "sha256": sha256, "licence": known.licence}
    with download(address, sha256) as file:
        yield file, {key: value for key, value in meta.items() if value}


def _check_count(name: str, known: PublishedDataset, count: int) -> None:
    if count != known.rows:
        raise BadInput(
            f"{name}: {counted(count, 'row')} came, but {CATALOGUE} says that there are "
            f"{known.rows}; is the download cut off? nothing was written"
        )


def import_file(
    stage: ImportStage,
    address: str,
    name: str | None,
    columns: Mapping[str, str],
    model: str | None,
    part: Part,
) -> tuple[Path, list[str]]:
    """Import the user's own file, or a dataset; return the path of its rows, and lines to print.

    Raises:
        BadInput: an unreadable file, no row that can be used, a missing column, a file in the way.
    """
    if model is not None and stage == "instructions":
        raise BadInput("--model says who wrote answers; instructions have none, so leave it out")
    source = open_source(address, part)
    name = check_name(name or source.name, "; or give a name: --name NAME, with make NAME=...")
    path = IMPORTED / f"{name}.jsonl"
    check_replaceable(path)
    imported = RowImporter(stage, name, columns, model).import_rows(source.rows)
    if not imported.rows:
        raise none_left(address, imported.dropped)
    _write(path, imported, source.meta)
    return path, list(_report(path, imported))


def _write(path: Path, imported: ImportedRows, meta: Mapping[str, Any]) -> None:
    """Write the dropped rows, then the rows: a failure in between leaves no rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_dropped(path, imported.dropped)
    _write_rows(path, imported.rows)
    dvc_track(path, meta)


def _write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    with atomic_file(path) as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _report(path: Path, imported: ImportedRows) -> Iterator[str]:
    total = len(imported.rows) + len(imported.dropped)
    yield f"{path}: {len(imported.rows):,} of {total:,} rows"
    yield from describe_dropped(path, imported.dropped)
    yield from describe_repairs(imported.repairs)
    several = sum(_turns(row) > 1 for row in imported.rows)
    if several:
        found = counted(several, "conversation")
        yield f"note: {found} of several turns, for students with prompt: chat"


def _turns(row: Mapping[str, Any]) -> int:
    return sum(turn["role"] == "user" for turn in row.get("messages", ()))
