"""Where `push` sends data, weights and paid answers: the hosts of DVC's remotes."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from alpacare.core.hosts import check_host

STORAGE = "storage"  # data, run-cache, cache packs
WEIGHTS = (
    "weights"  # checkpoints and the base model: dvc.yaml names this remote, so it must always exist
)
NONE_YET = "no-remote-yet"  # a folder that is not there: `weights` until a team has a remote
_OWN = {"s3": "s3.amazonaws.com", "gs": "storage.googleapis.com"}  # without an endpoint's address


def remote_host(url: str, endpoint_url: str | None = None) -> str | None:
    """Give the host of a remote, for a bucket that of its service; None for a folder here."""
    parts = urlsplit(url)
    if parts.scheme == "s3":
        variables = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
        endpoint_url = endpoint_url or next(filter(None, map(os.environ.get, variables)), None)
    if parts.scheme in _OWN:
        return (urlsplit(endpoint_url).hostname if endpoint_url else None) or _OWN[parts.scheme]
    if "://" not in url or parts.scheme in ("remote", "file", "local"):
        return None
    return parts.hostname or parts.scheme


def hide_password(url: str) -> str:
    """Give a remote's address for messages: one set by hand may hold a password."""
    return re.sub(r"(?<=://)([^/:@]*):[^/]*@", r"\1:...@", url)


def read_remotes() -> Iterator[tuple[str, str]]:
    """Yield the name and host of each remote that `push` uses, but for folders."""
    if not Path(".dvc").is_dir():
        return
    from dvc.config import Config  # type: ignore[import-untyped]

    config = Config.from_cwd(validate=False)
    remotes: Mapping[str, Mapping[str, Any]] = config["remote"]
    used = {STORAGE, WEIGHTS, config["core"].get("remote")}
    for name in [each for each in remotes if each in used]:
        section = remotes[name]
        if host := remote_host(str(section.get("url", "")), section.get("endpointurl")):
            yield name, host


def check_remote_hosts() -> None:
    """Check, before anything is pushed, that `hosts` in params.yaml names each remote's host.

    Raises:
        BadInput: a remote is elsewhere.
    """
    for name, host in read_remotes():
        check_host(host, f"DVC's remote '{name}'")
