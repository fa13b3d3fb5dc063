"""One file from the network, whole and as expected; what an interruption left is gone on with.

Addresses are https://... with a commit in them or a known SHA-256, or of the Hugging Face Hub
hub://datasets/ORG/NAME@COMMIT/PATH. The Hub tells the SHA-256 of its large files itself.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from alpacare.core.errors import BadInput
from alpacare.core.progress import track

FOLDER = Path(".dvc/tmp/downloads")  # Git ignores it, and nothing in it is needed for long
_PATIENCE = 30.0  # seconds without a byte before a download is given up
_COMMIT = re.compile(r"/[0-9a-f]{40}/")
_HUB = re.compile(r"hub://datasets/([\w.-]+/[\w.-]+)@([0-9a-f]{40})/(.+)")
_LOOPBACK = [("http", host) for host in ("127.0.0.1", "localhost", "::1")]
_LARGE = 5_000_000  # bytes, from which on progress is shown
_AGAIN = "the same command goes on from there"


class Source(NamedTuple):
    """Where the bytes are, what to say there, and what they must be."""

    url: str
    headers: Mapping[str, str]
    sha256: str | None
    moves: bool  # whether the server may send us elsewhere


def check_address(address: str, sha256: str | None) -> None:
    """See that an address is safe to ask, and means the same bytes tomorrow.

    Raises:
        ValueError: it is not.
    """
    parts = urlsplit(address)
    if parts.scheme == "hub":
        if not _HUB.fullmatch(address):
            raise ValueError(f"{address}: write hub://datasets/ORG/NAME@COMMIT/PATH, 40 hex digits")
        return
    if parts.scheme != "https" and (parts.scheme, parts.hostname) not in _LOOPBACK:
        raise ValueError(f"{address}: only https:// is fetched")
    if not (sha256 or _COMMIT.search(parts.path)):
        raise ValueError(f"{address}: give its SHA-256, or a commit (40 hex) in the address")


@contextmanager
def downloaded(address: str, sha256: str | None) -> Iterator[Path]:
    """Fetch a file and give its place here while the block reads it.

    It goes when it has been read or cannot be used; after a Ctrl-C, or where the disk is full, it
    stays for the same command.

    Raises:
        BadInput: the network, the server, the disk, or another file than expected.
    """
    whole = _download(address, sha256)
    try:
        yield whole
    except BadInput:
        whole.unlink()
        raise
    whole.unlink()


def _download(address: str, sha256: str | None) -> Path:
    FOLDER.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(address.encode()).hexdigest()[:16]
    whole = FOLDER / f"{name}{Path(urlsplit(address).path).suffix}"
    part = whole.with_name(f"{whole.name}.part")
    source = _find(address, sha256)
    if not whole.exists():
        _go_on(address, source, part)
        _check(address, source, part)
        part.rename(whole)
    return whole


def _find(address: str, sha256: str | None) -> Source:
    """Ask the Hub where a file of its lies; other addresses are what they say."""
    found = _HUB.fullmatch(address)
    if not found:
        return Source(address, {}, sha256, moves=False)
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    repo, commit, path = found.groups()
    url = hf_hub_url(repo, path, repo_type="dataset", revision=commit)
    headers = build_hf_headers()
    try:
        told = get_hf_file_metadata(url, headers=headers)
    except Exception as error:  # of httpx, of the Hub's own kinds, of an offline mode
        raise BadInput(f"{address}: {_explain(error)}") from error
    if told.commit_hash != commit:
        raise BadInput(f"{address}: the Hub gives another commit, {told.commit_hash}")
    known = told.etag if re.fullmatch("[0-9a-f]{64}", told.etag or "") else None
    if sha256 and known and sha256 != known:
        raise BadInput(f"{address}: is another file: SHA-256 {known}, expected {sha256}")
    if urlsplit(told.location).netloc != urlsplit(url).netloc:
        headers = {}  # a key for the Hub is none of its storage's business
    return Source(told.location, headers, sha256 or known, moves=True)


def _explain(error: Exception) -> str:
    """Say what the Hub's library says in lines, in one, and how to be let in."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        return (
            f"the Hub answers {status}: it does not exist, or wants its terms accepted there and "
            "HF_TOKEN in the environment"
        )
    if status:
        return f"the Hub answers {status}"
    told = " ".join(str(error).split()) or type(error).__name__
    return f"the Hub cannot be reached ({told[:200]}); is the network up? {_AGAIN}"


def _go_on(address: str, source: Source, part: Path) -> None:
    """Fetch what is still missing of a file."""
    import httpx2

    start = part.stat().st_size if part.exists() else 0
    headers = {**source.headers, "Accept-Encoding": "identity"}  # bytes that can be counted
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        with httpx2.stream(
            "GET", source.url, headers=headers, timeout=_PATIENCE, follow_redirects=source.moves
        ) as reply:
            if reply.status_code == 416:  # nothing is missing
                return
            if not reply.is_success:
                raise BadInput(
                    f"{address}: the server answers {reply.status_code} {reply.reason_phrase}"
                )
            _save(reply, part, start if reply.status_code == 206 else 0)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        told = f"{address}: {error or type(error).__name__}"
        raise BadInput("; ".join([told, *_kept(part)])) from error
    except OSError as error:
        raise BadInput(
            f"{part}: {error.strerror or error}; make room for the rest, {_AGAIN}"
        ) from error
    except KeyboardInterrupt:
        raise KeyboardInterrupt("; ".join(["stopped: nothing was made", *_kept(part)])) from None


def _kept(part: Path) -> list[str]:
    """Say what of a download is here, if anything."""
    size = part.stat().st_size if part.exists() else 0
    return [f"{size:,} bytes are here: {_AGAIN}"] if size else []


def _save(reply: Any, part: Path, start: int) -> None:
    size = start + int(reply.headers.get("Content-Length", 0))
    shown = track("download", size, "bytes") if size > _LARGE else nullcontext(_silent)
    # unbuffered: what came is on the disk, whatever ends this process
    with part.open("ab" if start else "wb", buffering=0) as file, shown as advance:
        advance(start, "")
        for chunk in reply.iter_bytes():
            file.write(chunk)
            advance(len(chunk), "")


def _silent(done: int, note: str) -> None:
    """Show nothing."""


def _check(address: str, source: Source, part: Path) -> None:
    with part.open("rb") as file:
        came = hashlib.file_digest(file, "sha256").hexdigest()
    if source.sha256 and came != source.sha256:
        part.unlink()
        raise BadInput(f"{address}: is another file: SHA-256 {came}, expected {source.sha256}")
