"""Behind `alpacare fetch` and `import`: a file from elsewhere becomes one of the pipeline's.

data/imported/NAME.jsonl holds the rows, DVC keeps it, and a note in Git says where it is from and
under which licence. What was left out stands in data/dropped/imported/NAME.jsonl.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_file
from alpacare.core.settings import read_yaml
from alpacare.datasets.catalogue import CATALOGUE, PublishedSet, check_name, find_published
from alpacare.datasets.downloads import downloaded
from alpacare.datasets.row_importer import Imported, Importer, Kind
from alpacare.datasets.seed_files import normalise, read_source
from alpacare.datasets.tables import read_table
from alpacare.datasets.test_set_import import bring_in
from alpacare.sharing.tracked import check_way, keep, note_of

IMPORTED = Path("data/imported")
DROPPED = Path("data/dropped/imported")
SEEDS = Path("data/seeds")


def fetch(name: str) -> Iterator[str]:
    """Bring in a data set that configs/datasets.yaml names; tell what came and what binds.

    Raises:
        BadInput: an unknown name, the network, another file than expected, something in the way.
    """
    known = find_published(name)
    if known is None:
        names = ", ".join(read_yaml(CATALOGUE))
        raise BadInput(f"no data set '{name}' in {CATALOGUE}; there are: {names}")
    if known.kind == "tests":
        return bring_in(name, [])
    return _fetch_seeds(name, known) if known.kind == "seeds" else _fetch_responses(name, known)


def _fetch_responses(name: str, known: PublishedSet) -> Iterator[str]:
    path = IMPORTED / f"{name}.jsonl"
    check_way(path)
    with _download(known) as (file, told):
        made = Importer("responses", name, {}, known.model).take(read_table(file))
        _check_rows(name, known, len(made.rows) + len(made.lost))
        _write(path, name, made, told)
    yield from _report(path, made)
    yield f"licence: {known.licence}"
    yield f"next: `make preset NAME={name}` where there is one, or in params.yaml set"
    yield f"      sources.responses: imported/{name}; then commit {note_of(path)}"


def _fetch_seeds(name: str, known: PublishedSet) -> Iterator[str]:
    """Keep published seeds as they are: the stage `seeds` reads their form."""
    path = SEEDS / f"{name}.jsonl"
    check_way(path)
    with _download(known) as (file, told):
        rows = [row for _, row in read_source(file)]
        _check_rows(name, known, len(rows))
        normalise(read_source(file), file)  # says what the stage would stumble over
        _write_rows(path, rows)
        keep(path, told)
    yield f"{path}: {len(rows)} seed tasks"
    yield f"licence: {known.licence}"
    yield f"next: in params.yaml set sources.seeds: seeds/{name}; then commit {note_of(path)}"
    yield f"      and {path.parent}/.gitignore"


@contextmanager
def _download(known: PublishedSet) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Fetch the one file of a set; say what its note is to hold."""
    ((address, sha256),) = known.files.items()
    told = {"source": address, "sha256": sha256, "licence": known.licence}
    with downloaded(address, sha256) as file:
        yield file, {key: value for key, value in told.items() if value}


def _check_rows(name: str, known: PublishedSet, came: int) -> None:
    if came != known.rows:
        raise BadInput(
            f"{name}: {came} rows came, but {CATALOGUE} says that there are {known.rows}; is the "
            "download cut off? nothing was written"
        )


def import_file(
    kind: Kind, file: Path, name: str | None, columns: Mapping[str, str], model: str | None
) -> tuple[Path, list[str]]:
    """Bring in a file of one's own; give where its rows are, and lines that say what came.

    Raises:
        BadInput: an unreadable file or row, a column that is not there, something in the way.
    """
    if model is not None and kind == "instructions":
        raise BadInput("--model says who wrote answers; instructions have none, so leave it out")
    name = check_name(name or file.stem)
    path = IMPORTED / f"{name}.jsonl"
    check_way(path)
    made = Importer(kind, name, columns, model).take(read_table(file))
    if not made.rows:
        reasons = ", ".join(_count_lost(made))
        raise BadInput(f"{file}: not one row can be used ({reasons}); nothing was written")
    _write(path, name, made, {"source": file.name})
    return path, list(_report(path, made))


def _write(path: Path, name: str, made: Imported, told: Mapping[str, Any]) -> None:
    """Write rows and what was left out, the rows last: they are what counts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    jsonl.write(DROPPED / f"{name}.jsonl", made.lost)
    _write_rows(path, made.rows)
    keep(path, told)


def _write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    with atomic_file(path) as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _report(path: Path, made: Imported) -> Iterator[str]:
    read = len(made.rows) + len(made.lost)
    yield f"{path}: {len(made.rows):,} of {read:,} rows"
    for line in _count_lost(made):
        yield f"left out: {line}"
    if made.lost:
        yield f"          each is in {DROPPED / path.name}"
    for what, times in (+made.mended).items():
        yield f"mended: {times:,} {what}"


def _count_lost(made: Imported) -> list[str]:
    counts = Counter(row.reason for row in made.lost)
    return [f"{times:,} {reason}" for reason, times in counts.items()]
