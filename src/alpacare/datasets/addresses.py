"""Addresses of downloads: which are safe, and where a server may send a download on.

https://... with a commit in it or a known SHA-256, or a file of the Hugging Face Hub,
hub://datasets/ORG/NAME@COMMIT/PATH.
"""

import re
from urllib.parse import parse_qsl, urlsplit

from alpacare.core.errors import BadInput
from alpacare.core.keys import names_secret

HUB = re.compile(r"hub://datasets/([\w.-]+/[\w.-]+)@([0-9a-f]{40})/(.+)")
_COMMIT = re.compile(r"/[0-9a-f]{40}/")
_DATED = re.compile(r"\d{4}(?:-\d\d){5}")  # a file named by the second in which it was made
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
# where the Hub keeps files, as its page on downloads behind a firewall lists them
_STORAGE = re.compile(r"(?:.+\.)?(?:huggingface\.co|hf\.co)")
_LOGIN = re.compile(r"://[^/?#\s]*@")
_WEB = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")


def refuse_secrets(text: str) -> None:
    """Check that an address holds no name, password or key, which Git would keep.

    Raises:
        ValueError: it does; the text is not in the message.
    """
    if _LOGIN.search(text):
        raise ValueError(
            "files: an address has a name or password before its '@', and Git would keep it; "
            "download that file yourself, and name it to `alpacare import` or `alpacare test-set`"
        )
    for name, _ in parse_qsl(urlsplit(text).query):
        if names_secret(name):
            raise ValueError(
                f"files: an address has a key in it (after '?', {name}), and Git would keep it; "
                "name an address that needs none, or download the file yourself"
            )


def check_address(address: str, sha256: str | None) -> None:
    """Check that an address is safe, and that its content cannot change.

    Raises:
        ValueError: it is not, or can.
    """
    parts = urlsplit(address)
    if parts.scheme == "hub":
        if not HUB.fullmatch(address):
            raise ValueError(f"{address}: write hub://datasets/ORG/NAME@COMMIT/PATH, 40 hex digits")
        return
    if parts.scheme != "https" and not _is_local(address):
        raise ValueError(f"{address}: only https:// is fetched")
    if not (sha256 or _COMMIT.search(parts.path) or _DATED.search(parts.path)):
        raise ValueError(f"{address}: give its SHA-256, or a commit (40 hex) in the address")


def check_target(hub: str, target: str) -> None:
    """Check where the Hub sends a download on: itself or its storage, and not from https to http.

    Raises:
        BadInput: elsewhere.
    """
    ours, theirs = urlsplit(hub), urlsplit(target)
    storage = theirs.scheme == "https" and _STORAGE.fullmatch(theirs.hostname or "")
    itself = theirs.scheme in (ours.scheme, "https") and theirs.hostname == ours.hostname
    if not (storage or itself or (_is_local(hub) and _is_local(target))):
        raise BadInput(
            f"{ours.hostname}: sends the download on to {theirs.scheme}://{theirs.hostname}, which "
            "is none of the Hub's; nothing is fetched from there"
        )


def refuse_address(name: str) -> None:
    """Check that a word of the command line names a file.

    Raises:
        BadInput: it is an address, which may hold a password, and so is not shown.
    """
    if _WEB.match(name):
        raise BadInput(
            "an address is given where a file is wanted; download it yourself and name the file, "
            "or put the address into configs/datasets.yaml"
        )


def _is_local(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname in _LOOPBACK
