"""`alpacare test-set`: published files become data/tests/NAME.jsonl, tracked by DVC, not by Git."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.files import read_text
from alpacare.datasets.addresses import refuse_address
from alpacare.datasets.catalogue import (
    CATALOGUE,
    PublishedDataset,
    check_name,
    find_published,
    split_answerer,
)
from alpacare.datasets.downloads import download
from alpacare.datasets.test_set_merge import PublishedFile, TestSet, merge
from alpacare.sharing.tracked import check_replaceable, dvc_file, dvc_track

FOLDER = Path("data/tests")


def import_test_set(name: str, files: Sequence[str]) -> Iterator[str]:
    """Make data/tests/NAME.jsonl of "[WHO=]FILE" each, or of the catalogue's files; return lines.

    Raises:
        BadInput: an unknown name, a wrong file or download, a file in the way; nothing is written.
    """
    path = FOLDER / f"{check_name(name)}.jsonl"
    check_replaceable(path)
    known = find_published(name)
    if known and known.kind != "tests":
        raise BadInput(f"{name}: is no test set but {known.kind}; run: make fetch DATASET={name}")
    if files:
        sources = [_open(file) for file in files]
    elif known:
        sources = [_download(file, sha256) for file, sha256 in known.files.items()]
    else:
        raise BadInput(f"no test set '{name}' in {CATALOGUE}; if it is yours, name its files")
    test_set = merge(sources)
    if known and test_set.questions != known.rows:
        raise BadInput(
            f"{sources[0].place}: {test_set.questions} questions, but {CATALOGUE} says that {name} "
            f"has {known.rows}; is it cut off? another set needs another name"
        )
    jsonl.write(path, test_set.tasks)
    meta: dict[str, Any] = {"licence": known.licence} if known else {}
    if known and not files:  # the source of the user's own files is not known
        meta = {"source": list(known.files), **meta}
    dvc_track(path, meta)
    return _report(path, test_set, known)


def _open(file: str) -> PublishedFile:
    answerer, path = split_answerer(file)
    refuse_address(path)
    return PublishedFile(path, read_text(Path(path)), answerer)


def _download(name: str, sha256: str | None) -> PublishedFile:
    """Fetch one file of the catalogue; a proxy set in the environment is used."""
    answerer, address = split_answerer(name)
    with download(address, sha256) as file:
        try:
            text = file.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadInput(f"{address}: not UTF-8 text ({error.reason})") from error
    return PublishedFile(address, text, answerer)


def _report(path: Path, test_set: TestSet, known: PublishedDataset | None) -> Iterator[str]:
    answerers = ", ".join(test_set.answerers) or "nobody"
    yield f"{path}: {len(test_set.tasks)} tasks, answers by {answerers}"
    for answerer, lacks in test_set.missing.items():
        yield f"left out: {answerer}, without an answer to {lacks} of {len(test_set.tasks)} tasks"
    for what, times in test_set.repairs.items():
        yield f"repaired: {times:,} {what}"
    yield f"licence: {known.licence if known else 'not known here; ask whoever wrote it'}"
    yield f"next: in params.yaml, add {path.stem} to `tests`, the answerers you want to"
    yield "      `models.written`, and to `judgments.references` (students are compared with them)"
    yield "      or `judgments.contestants` (they compete); then commit"
    yield f"      {dvc_file(path)} and {path.parent}/.gitignore"
