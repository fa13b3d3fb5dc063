"""`alpacare benchmark` and `fetch`: files become data/benchmarks/NAME.jsonl, tracked by DVC.

benchmarks/NAME, with lm-eval's task and a card, is written where there is none.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_file, read_text
from alpacare.core.texts import counted
from alpacare.datasets.benchmark_items import FIELDS, BenchmarkFile, BenchmarkItems, read_items
from alpacare.datasets.catalogue import (
    CATALOGUE,
    PublishedDataset,
    check_name,
    find_published,
    split_answerer,
)
from alpacare.datasets.downloads import download
from alpacare.datasets.forms import check_fields
from alpacare.datasets.outcome import (
    describe_dropped,
    describe_repairs,
    none_left,
    write_dropped,
)
from alpacare.datasets.sources import Part, open_source
from alpacare.datasets.tables import read_table_rows
from alpacare.records.benchmark_item import LETTERS, BenchmarkItem
from alpacare.sharing.tracked import check_replaceable, dvc_file, dvc_track

DATA = Path("data/benchmarks")
FOLDERS = Path("benchmarks")
_TEMPLATES = Path(__file__).parent / "templates"
_ONLY = "only"  # the name of a file with the ids of the rows that belong to the benchmark
_WHOLE = Part()


def import_benchmark(
    name: str, files: Sequence[str], columns: Mapping[str, str] | None = None, part: Part = _WHOLE
) -> Iterator[str]:
    """Make data/benchmarks/NAME.jsonl of "[SUBJECT=]FILE" each, or of the catalogue's files.

    Returns lines to print. Of a published benchmark, rows that are no items are dropped, as nobody
    here can mend them; the user's own file must have none.

    Raises:
        BadInput: an unknown name, a wrong file or download, a bad row of the user's own, a file in
            the way; nothing is written.
    """
    path = DATA / f"{check_name(name)}.jsonl"
    check_replaceable(path)
    known = find_published(name)
    if known and known.kind != "benchmark":
        raise BadInput(f"{name}: is no benchmark but {known.kind}; choose another name")
    check_fields(columns or {}, FIELDS, "benchmarks")
    if not (files or known):
        raise BadInput(f"no benchmark '{name}' in {CATALOGUE}; if it is yours, name its files")
    with ExitStack() as downloads:  # whose hashes are written down when the rows are in
        if files:
            opened = [_open(file, part) for file in files]
        else:
            wanted = known.files.items() if known else ()
            opened = [_download(file, sha256, downloads) for file, sha256 in wanted]
        read = _read(name, opened, known, columns or {})
        write_dropped(path, read.dropped)
        jsonl.write(path, read.items)
        source = {} if files else {"source": [file.place for file in opened]}
        dvc_track(path, {**source, "licence": known.licence} if known else None)
    made = _write_folder(name, read.items[0])
    return _report(path, read, known, made)


def _open(file: str, part: Part) -> BenchmarkFile:
    subject, address = split_answerer(file)
    whole = Path(address).is_file()
    source = open_source(address, _WHOLE if whole and subject == _ONLY else part)
    return BenchmarkFile(address, list(source.rows), subject)


def _download(file: str, sha256: str | None, downloads: ExitStack) -> BenchmarkFile:
    subject, address = split_answerer(file)
    path = downloads.enter_context(download(address, sha256))
    return BenchmarkFile(address, list(read_table_rows(path, address)), subject)


def _read(
    name: str,
    opened: Sequence[BenchmarkFile],
    known: PublishedDataset | None,
    columns: Mapping[str, str],
) -> BenchmarkItems:
    files = [file for file in opened if file.subject != _ONLY]
    rows = sum(len(file.rows) for file in files)
    if known and rows != known.rows:
        raise BadInput(
            f"{name}: {counted(rows, 'row')} came, but {CATALOGUE} says that there are "
            f"{known.rows}; is a file cut off or missing? another set needs another name"
        )
    lists = [file for file in opened if file.subject == _ONLY]
    only = {id for file in lists for row in file.rows for id in row.values} if lists else None
    read = read_items(
        files,
        {**(known.columns if known else {}), **columns},
        strict=known is None,
        only=only,
        without_subjects=known.without_subjects if known else (),
    )
    places = ", ".join(file.place for file in opened)
    if only and (lost := only - read.ids):
        raise BadInput(f"{places}: no row for {len(lost)} of {len(only)} ids, as {min(lost)}")
    if not read.items:
        raise none_left(places, read.dropped)
    return read


def _write_folder(name: str, item: BenchmarkItem) -> list[Path]:
    """Write the task and the card that are missing; give their paths."""
    task = "task_choice.yaml" if item.choices else "task_text.yaml"
    folder = FOLDERS / name
    templates = {folder / "task.yaml": task, folder / "README.md": "benchmark_card.md"}
    missing = {path: template for path, template in templates.items() if not path.exists()}
    for path, template in missing.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as file:
            file.write(read_text(_TEMPLATES / template).replace("NAME", name))
    return list(missing)


def _report(
    path: Path, read: BenchmarkItems, known: PublishedDataset | None, made: Sequence[Path]
) -> Iterator[str]:
    yield f"{path}: {counted(len(read.items), 'item')}{_right_answers(read.items)}"
    if read.left_out:
        yield f"left out: {counted(read.left_out, 'row')} not part of it"
    yield from describe_dropped(path, read.dropped)
    yield from describe_repairs(read.repairs)
    yield f"licence: {known.licence if known else 'not known here; ask whoever wrote it'}"
    for each in made:
        yield f"written: {each}, with defaults; see whether they fit"
    yield f"next: in params.yaml, add {path.stem} to `benchmarks`; then commit"
    yield f"      {FOLDERS / path.stem}, {dvc_file(path)} and {path.parent}/.gitignore"


def _right_answers(items: Sequence[BenchmarkItem]) -> str:
    """Count how often each letter is right: what a model gets that always says the same."""
    right = Counter(LETTERS[item.answer] for item in items if isinstance(item.answer, int))
    shares = ", ".join(f"{letter} {times:,}" for letter, times in sorted(right.items()))
    return f"; right answers: {shares}" if shares else ""
