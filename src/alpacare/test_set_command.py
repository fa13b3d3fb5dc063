"""Behind `alpacare test-set`: published files -> data/tests/NAME.jsonl, kept by DVC, not by Git."""

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError, model_validator

from alpacare import jsonl
from alpacare.errors import BadInput
from alpacare.files import read_text
from alpacare.params import Slug
from alpacare.published import PublishedFile, TestSet, merge
from alpacare.settings import Settings, check, read_yaml

CATALOG = Path("configs/test-sets.yaml")
FOLDER = Path("data/tests")
_PATIENCE = 30.0  # seconds without a byte before a download is given up
_COMMIT = re.compile(r"/[0-9a-f]{40}/")
_LOOPBACK = [("http", host) for host in ("127.0.0.1", "localhost", "::1")]
_SLUG = TypeAdapter(Slug)
Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


class PublishedSet(Settings):
    """One set of the catalog; `files` are "[WHO=]URL" and the SHA-256, null where none is known."""

    tasks: int = Field(gt=0)
    licence: str
    files: dict[str, Sha256 | None] = Field(min_length=1)

    @model_validator(mode="after")
    def _pinned(self) -> Self:
        for name, sha256 in self.files.items():
            _, url = split_who(name)
            parts = urlsplit(url)
            if parts.scheme != "https" and (parts.scheme, parts.hostname) not in _LOOPBACK:
                raise ValueError(f"{url}: only https:// is fetched")
            if not (sha256 or _COMMIT.search(parts.path)):
                raise ValueError(f"{url}: give its SHA-256, or a commit (40 hex) in the address")
        return self


def bring_in(name: str, files: Sequence[str]) -> Iterator[str]:
    """Make data/tests/NAME.jsonl of "[WHO=]FILE" each, or of what the catalog names; tell of it.

    Raises:
        BadInput: an unknown set, a file or download that is not what it should be, or something in
            the way; nothing is written.
    """
    path = FOLDER / f"{_name(name)}.jsonl"
    _check_way(path)
    known = _known(name)
    if files:
        sources = [_open(file) for file in files]
    elif known:
        sources = [_download(file, sha256) for file, sha256 in known.files.items()]
    else:
        raise BadInput(f"no test set '{name}' in {CATALOG}; if it is yours, name its files")
    made = merge(sources)
    if known and made.asked != known.tasks:
        raise BadInput(
            f"{sources[0].place}: {made.asked} questions, but {CATALOG} says that {name} has "
            f"{known.tasks}; is it cut off? another set needs another name"
        )
    _write(path, made)
    return _report(path, made, known)


def _name(name: str) -> str:
    try:
        return _SLUG.validate_python(name)
    except ValidationError:
        raise BadInput(
            f"'{name}' is no name: letters, digits, '.', '_' and '-', a letter or digit first"
        ) from None


def _known(name: str) -> PublishedSet | None:
    """Look a set up in the catalog."""
    catalog = read_yaml(CATALOG)
    return check(catalog[name], PublishedSet, f"{CATALOG}: {name}.") if name in catalog else None


def _check_way(path: Path) -> None:
    """Replace only what DVC can bring back: what stands in the way may be somebody's work."""
    tracked = subprocess.run(
        ["git", "ls-files", "--error-unmatch", path], capture_output=True, check=False
    )
    if tracked.returncode == 0:
        raise BadInput(f"{path}: is in Git; choose another name")
    if not path.exists():
        return
    note = path.with_name(f"{path.name}.dvc")
    md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    if not note.exists() or md5 not in read_text(note):
        raise BadInput(f"{path}: is there, and DVC holds no copy of it; move it away")


def split_who(text: str) -> tuple[str | None, str]:
    """Part "gpt-4=answers.json"; a path with a "=" behind a "/" stays whole."""
    who, sign, rest = text.partition("=")
    return (_name(who), rest) if sign and "/" not in who else (None, text)


def _open(file: str) -> PublishedFile:
    who, path = split_who(file)
    return PublishedFile(path, read_text(Path(path)), who)


def _download(name: str, sha256: str | None) -> PublishedFile:
    """Fetch one file of the catalog; a proxy set in the environment is used."""
    import httpx2

    who, url = split_who(name)
    try:
        reply = httpx2.get(url, timeout=_PATIENCE)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise BadInput(f"{url}: {error or type(error).__name__}") from error
    if not reply.is_success:
        raise BadInput(f"{url}: the server answers {reply.status_code} {reply.reason_phrase}")
    came = hashlib.sha256(reply.content).hexdigest()
    if sha256 and came != sha256:
        raise BadInput(f"{url}: is another file: SHA-256 {came}, expected {sha256}")
    try:
        text = reply.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{url}: not UTF-8 text ({error.reason})") from error
    return PublishedFile(url, text, who)


def _write(path: Path, made: TestSet) -> None:
    """Write the file and have DVC take it in; without DVC there is no file either."""
    jsonl.write(path, made.tasks)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "dvc", "add", path],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BadInput(f"dvc add {path}: {done.stderr.strip() or 'failed'}")
    except BaseException:
        path.unlink()
        raise


def _report(path: Path, made: TestSet, known: PublishedSet | None) -> Iterator[str]:
    yield f"{path}: {len(made.tasks)} tasks, answers by {', '.join(made.answerers) or 'nobody'}"
    for who, lacks in made.missing.items():
        yield f"left out: {who}, without an answer to {lacks} of {len(made.tasks)} tasks"
    for what, times in made.mended.items():
        yield f"mended: {times:,} {what}"
    yield f"licence: {known.licence if known else 'not known here; ask whoever wrote it'}"
    yield f"next: in params.yaml, add {path.stem} to `tests` and the answerers you compare with to"
    yield "      `references.written` and `judgments.references`; then commit"
    yield f"      {path}.dvc and {path.parent}/.gitignore"
