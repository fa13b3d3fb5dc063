"""Downloads of one file, checked by its hash; an interrupted download is resumed.

Addresses are https://... with a commit in them or a known SHA-256, or of the Hugging Face Hub
hub://datasets/ORG/NAME@COMMIT/PATH. The Hub sends the SHA-256 of its large files.
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

FOLDER = Path(".dvc/tmp/downloads")  # Git ignores it; files in it are temporary
_TIMEOUT = 30.0  # seconds without a byte before a download fails
_COMMIT = re.compile(r"/[0-9a-f]{40}/")
_HUB = re.compile(r"hub://datasets/([\w.-]+/[\w.-]+)@([0-9a-f]{40})/(.+)")
_LOOPBACK = [("http", host) for host in ("127.0.0.1", "localhost", "::1")]
_LARGE = 5_000_000  # bytes; larger downloads show progress
_RESUME = "the same command goes on from there"


class DownloadSource(NamedTuple):
    """URL and headers of a download, and the hash that its bytes must have."""

    url: str
    headers: Mapping[str, str]
    sha256: str | None
    redirects: bool  # whether the server may redirect to another URL


def check_address(address: str, sha256: str | None) -> None:
    """Check that an address is safe, and that its content cannot change.

    Raises:
        ValueError: it is not, or can.
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
def download(address: str, sha256: str | None) -> Iterator[Path]:
    """Fetch a file and give its local path for the time of the block.

    It is deleted when it has been read or cannot be used; after a Ctrl-C, or on a full disk, it
    stays for the same command.

    Raises:
        BadInput: the network, the server, the disk, or another file than expected.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(address.encode()).hexdigest()[:16]
    whole = FOLDER / f"{name}{Path(urlsplit(address).path).suffix}"
    part = whole.with_name(f"{whole.name}.part")
    source = _resolve(address, sha256)
    if not whole.exists():
        _fetch_rest(address, source, part)
        _check(address, source, part)
        part.rename(whole)
    try:
        yield whole
    except BadInput:
        whole.unlink()
        raise
    whole.unlink()


def _resolve(address: str, sha256: str | None) -> DownloadSource:
    """Ask the Hub for the URL of its file; other addresses are URLs."""
    found = _HUB.fullmatch(address)
    if not found:
        return DownloadSource(address, {}, sha256, redirects=False)
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    repo, commit, path = found.groups()
    url = hf_hub_url(repo, path, repo_type="dataset", revision=commit)
    headers = build_hf_headers()
    try:
        metadata = get_hf_file_metadata(url, headers=headers)
    except Exception as error:  # of httpx, of the Hub's library, of its offline mode
        raise BadInput(f"{address}: {_explain(error)}") from error
    if metadata.commit_hash != commit:
        raise BadInput(f"{address}: the Hub gives another commit, {metadata.commit_hash}")
    known = metadata.etag if re.fullmatch("[0-9a-f]{64}", metadata.etag or "") else None
    if sha256 and known and sha256 != known:
        raise BadInput(f"{address}: is another file: SHA-256 {known}, expected {sha256}")
    if urlsplit(metadata.location).netloc != urlsplit(url).netloc:
        headers = {}  # the Hub's key must not go to its storage
    return DownloadSource(metadata.location, headers, sha256 or known, redirects=True)


def _explain(error: Exception) -> str:
    """Describe an error of the Hub's library in one line, with what to do."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        return (
            f"the Hub answers {status}: it does not exist, or wants its terms accepted there and "
            "HF_TOKEN in the environment"
        )
    if status:
        return f"the Hub answers {status}"
    reason = " ".join(str(error).split()) or type(error).__name__
    return f"the Hub cannot be reached ({reason[:200]}); is the network up? {_RESUME}"


def _fetch_rest(address: str, source: DownloadSource, part: Path) -> None:
    """Fetch the missing rest of a file."""
    import httpx2

    start = part.stat().st_size if part.exists() else 0
    headers = {**source.headers, "Accept-Encoding": "identity"}  # bytes that can be counted
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        with httpx2.stream(
            "GET", source.url, headers=headers, timeout=_TIMEOUT, follow_redirects=source.redirects
        ) as reply:
            if reply.status_code == 416:  # nothing is missing
                return
            if not reply.is_success:
                raise BadInput(
                    f"{address}: the server answers {reply.status_code} {reply.reason_phrase}"
                )
            _save(reply, part, start if reply.status_code == 206 else 0)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        reason = f"{address}: {error or type(error).__name__}"
        raise BadInput("; ".join([reason, *_size_note(part)])) from error
    except OSError as error:
        raise BadInput(f"{part}: {error.strerror or error}; free some space, {_RESUME}") from error
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "; ".join(["stopped: nothing was made", *_size_note(part)])
        ) from None


def _size_note(part: Path) -> list[str]:
    """Say how much of a download is here, if anything."""
    size = part.stat().st_size if part.exists() else 0
    return [f"{size:,} bytes are here: {_RESUME}"] if size else []


def _save(reply: Any, part: Path, start: int) -> None:
    size = start + int(reply.headers.get("Content-Length", 0))
    shown = (
        track("download", size, "bytes") if size > _LARGE else nullcontext(lambda done, note: None)
    )
    # unbuffered: what arrived is on the disk, however this process ends
    with part.open("ab" if start else "wb", buffering=0) as file, shown as advance:
        advance(start, "")
        for chunk in reply.iter_bytes():
            file.write(chunk)
            advance(len(chunk), "")


def _check(address: str, source: DownloadSource, part: Path) -> None:
    with part.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if source.sha256 and digest != source.sha256:
        part.unlink()
        raise BadInput(f"{address}: is another file: SHA-256 {digest}, expected {source.sha256}")
