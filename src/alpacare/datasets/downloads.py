"""Downloads of one file, checked by its hash; an interrupted download is resumed.

What is fetched from where: `addresses`. The Hub sends the SHA-256 of its large files.
"""

import hashlib
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from alpacare.core.errors import BadInput
from alpacare.core.progress import track
from alpacare.datasets.addresses import HUB, check_target
from alpacare.datasets.catalogue import write_down
from alpacare.datasets.json_tables import is_html
from alpacare.datasets.tables import MOST_RATIO, MOST_UNPACKED

FOLDER = Path(".dvc/tmp/downloads")  # Git ignores it; files in it are temporary
_TIMEOUT = 30.0  # seconds without a byte before a download fails
_LARGE = 5_000_000  # bytes; larger downloads show progress
_PIECE = 1_000_000  # bytes unpacked at once
_MANY = 20 * _PIECE  # from which the ratio counts
_RESUME = "the same command goes on from there"


class DownloadSource(NamedTuple):
    """URL and headers of a download, and the hash that its bytes must have."""

    url: str
    headers: Mapping[str, str]
    sha256: str | None
    hub: str | None = None  # the Hub's URL of the file, if it is there; only it redirects


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
        part.rename(whole)
    digest = _check(address, source, whole)
    try:
        yield whole
    except BadInput:
        whole.unlink()
        raise
    whole.unlink()
    if sha256 is None:
        write_down(address, digest)


def _resolve(address: str, sha256: str | None) -> DownloadSource:
    """Ask the Hub for the URL of its file; other addresses are URLs."""
    found = HUB.fullmatch(address)
    if not found:
        return DownloadSource(address, {}, sha256)
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    repo, commit, path = found.groups()
    url = hf_hub_url(repo, path, repo_type="dataset", revision=commit)
    headers = build_hf_headers()
    try:
        metadata = get_hf_file_metadata(url, headers=headers)
    except Exception as error:  # of httpx, of the Hub's library, of its offline mode
        raise BadInput(f"{address}: {explain_hub(error)}") from error
    if metadata.commit_hash != commit:
        raise BadInput(f"{address}: the Hub gives another commit, {metadata.commit_hash}")
    known = metadata.etag if re.fullmatch("[0-9a-f]{64}", metadata.etag or "") else None
    if sha256 and known and sha256 != known:
        raise BadInput(f"{address}: is another file: SHA-256 {known}, expected {sha256}")
    if urlsplit(metadata.location).netloc != urlsplit(url).netloc:
        headers = {}  # the Hub's key must not go to its storage
    return DownloadSource(metadata.location, headers, sha256 or known, url)


def explain_hub(error: BaseException) -> str:
    """Describe an error of the Hub's library in one line, with what to do."""
    reason = " ".join(str(error).split()) or type(error).__name__
    return explain_status(error) or (
        f"the Hub cannot be reached ({reason[:200]}); is the network up? Then give the same "
        "command again"
    )


def explain_status(error: BaseException) -> str | None:
    """Describe the status that the Hub answered with; None: the error is another."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403, 404):
        return (
            f"the Hub answers {status}: it does not exist, or wants its terms accepted there and "
            "HF_TOKEN in the environment"
        )
    return f"the Hub answers {status}" if status else None


def _fetch_rest(address: str, source: DownloadSource, part: Path) -> None:
    """Fetch the missing rest of a file."""
    import httpx2

    start = part.stat().st_size if part.exists() else 0
    headers = {**source.headers, "Accept-Encoding": "identity"}  # bytes that can be counted
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        with _client(source) as client, client.stream("GET", source.url, headers=headers) as reply:
            if reply.status_code == 416 and start:  # nothing is missing
                return
            if not reply.is_success:
                raise BadInput(
                    f"{address}: the server answers {reply.status_code} {reply.reason_phrase}"
                )
            _save(address, reply, part, start if reply.status_code == 206 else 0)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        reason = f"{address}: {error or type(error).__name__}"
        raise BadInput("; ".join([reason, *_size_note(part)])) from error
    except OSError as error:
        raise BadInput(f"{part}: {error.strerror or error}; free some space, {_RESUME}") from error
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "; ".join(["stopped: nothing was made", *_size_note(part)])
        ) from None


def _client(source: DownloadSource) -> Any:
    """Give a client that asks before each request of a redirect whether it may go there."""
    import httpx2

    hub = source.hub
    asks = [lambda request: check_target(hub, str(request.url))] if hub else []
    return httpx2.Client(
        timeout=_TIMEOUT, follow_redirects=bool(hub), event_hooks={"request": asks}
    )


def _size_note(part: Path) -> list[str]:
    """Say how much of a download is here, if anything."""
    size = part.stat().st_size if part.exists() else 0
    return [f"{size:,} bytes are here: {_RESUME}"] if size else []


def _save(address: str, reply: Any, part: Path, start: int) -> None:
    """Write what comes, piece by piece, and no more than a file may have.

    Raises:
        BadInput: too much, another part than was asked for, packed in a way that is not read.
    """
    size = start + int(reply.headers.get("Content-Length", 0))
    packed = reply.headers.get("Content-Encoding", "identity")
    shown = (
        track("download", size, "bytes", start)
        if size > _LARGE
        else nullcontext(lambda done, note: None)
    )
    try:
        _check_size(address, size)
        if start:
            _check_part(address, reply, packed, start)
        # unbuffered: what arrived is on the disk, however this process ends
        with part.open("ab" if start else "wb", buffering=0) as file, shown as advance:
            for piece in _unpack(address, reply, packed):
                _check_size(address, file.tell() + len(piece))
                file.write(piece)
                advance(len(piece), "")
    except BaseException as error:
        if isinstance(error, BadInput) or packed != "identity":  # nothing to go on from
            part.unlink(missing_ok=True)
        raise


def _check_size(address: str, size: int) -> None:
    if size > MOST_UNPACKED:
        raise BadInput(
            f"{address}: is larger than {MOST_UNPACKED:,} bytes; if it should be, download it "
            "yourself and name the file"
        )


def _check_part(address: str, reply: Any, packed: str, start: int) -> None:
    there = reply.headers.get("Content-Range", f"bytes {start}-")
    if packed != "identity" or not there.startswith(f"bytes {start}-"):
        raise BadInput(
            f"{address}: the server cannot go on where it broke off; the same command starts anew"
        )


def _unpack(address: str, reply: Any, packed: str) -> Iterator[bytes]:
    """Give the bytes of a reply in small pieces; some servers pack them though asked not to."""
    if packed == "identity":
        yield from reply.iter_raw()
        return
    if packed not in ("gzip", "x-gzip", "deflate"):
        raise BadInput(f"{address}: comes packed as '{packed[:20]}', which is not read")
    inflate = zlib.decompressobj(wbits=47)  # gzip or zlib, by its first bytes
    unpacked = 0
    try:
        for raw in reply.iter_raw():
            while raw:
                if inflate.eof:  # gzip may have several parts, one after another
                    inflate = zlib.decompressobj(wbits=47)
                yield (piece := inflate.decompress(raw, _PIECE))
                unpacked += len(piece)
                if unpacked > max(_MANY, MOST_RATIO * reply.num_bytes_downloaded):
                    raise BadInput(
                        f"{address}: is packed more than {MOST_RATIO} to 1, as no text is"
                    )
                raw = inflate.unconsumed_tail or inflate.unused_data
    except zlib.error as error:
        raise BadInput(f"{address}: comes packed and cannot be unpacked ({error})") from error
    if not inflate.eof:
        raise BadInput(f"{address}: comes packed and is cut off; try again")


def _check(address: str, source: DownloadSource, whole: Path) -> str:
    """Check what came, and give its SHA-256."""
    with whole.open("rb") as file:
        page = is_html(file.read(1000).decode("utf-8", "ignore"))
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if page:
        reason = (
            "a web page (HTML) came and not data; open the address in a browser: it may want a "
            "login, or have moved"
        )
    elif source.sha256 and digest != source.sha256:
        reason = f"is another file: SHA-256 {digest}, expected {source.sha256}"
    else:
        return digest
    whole.unlink()
    raise BadInput(f"{address}: {reason}")
