"""Behind `alpacare test-set`: published files -> data/tests/NAME.jsonl, kept by DVC, not by Git."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.files import read_text
from alpacare.datasets.catalogue import (
    CATALOGUE,
    PublishedSet,
    check_name,
    find_published,
    split_who,
)
from alpacare.datasets.downloads import downloaded
from alpacare.datasets.test_set_merge import PublishedFile, TestSet, merge
from alpacare.sharing.tracked import check_way, keep, note_of

FOLDER = Path("data/tests")


def bring_in(name: str, files: Sequence[str]) -> Iterator[str]:
    """Make data/tests/NAME.jsonl of "[WHO=]FILE" each, or of what the catalog names; tell of it.

    Raises:
        BadInput: an unknown set, a file or download that is not what it should be, or something in
            the way; nothing is written.
    """
    path = FOLDER / f"{check_name(name)}.jsonl"
    check_way(path)
    known = find_published(name)
    if known and known.kind != "tests":
        raise BadInput(f"{name}: is no test set but {known.kind}; run: make fetch DATASET={name}")
    if files:
        sources = [_open(file) for file in files]
    elif known:
        sources = [_download(file, sha256) for file, sha256 in known.files.items()]
    else:
        raise BadInput(f"no test set '{name}' in {CATALOGUE}; if it is yours, name its files")
    made = merge(sources)
    if known and made.asked != known.rows:
        raise BadInput(
            f"{sources[0].place}: {made.asked} questions, but {CATALOGUE} says that {name} has "
            f"{known.rows}; is it cut off? another set needs another name"
        )
    jsonl.write(path, made.tasks)
    keep(path, _tell(known, fetched=not files) if known else None)
    return _report(path, made, known)


def _tell(known: PublishedSet, fetched: bool) -> dict[str, Any]:
    """Say for the note where a set is from; files of one's own may be from anywhere."""
    return ({"source": list(known.files)} if fetched else {}) | {"licence": known.licence}


def _open(file: str) -> PublishedFile:
    who, path = split_who(file)
    return PublishedFile(path, read_text(Path(path)), who)


def _download(name: str, sha256: str | None) -> PublishedFile:
    """Fetch one file of the catalogue; a proxy set in the environment is used."""
    who, address = split_who(name)
    with downloaded(address, sha256) as file:
        try:
            text = file.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadInput(f"{address}: not UTF-8 text ({error.reason})") from error
    return PublishedFile(address, text, who)


def _report(path: Path, made: TestSet, known: PublishedSet | None) -> Iterator[str]:
    yield f"{path}: {len(made.tasks)} tasks, answers by {', '.join(made.answerers) or 'nobody'}"
    for who, lacks in made.missing.items():
        yield f"left out: {who}, without an answer to {lacks} of {len(made.tasks)} tasks"
    for what, times in made.mended.items():
        yield f"mended: {times:,} {what}"
    yield f"licence: {known.licence if known else 'not known here; ask whoever wrote it'}"
    yield f"next: in params.yaml, add {path.stem} to `tests` and the answerers you compare with to"
    yield "      `references.written` and `judgments.references`; then commit"
    yield f"      {note_of(path)} and {path.parent}/.gitignore"
