"""Servers by name: section `endpoints` of params.yaml, and the keys that the environment holds.

DVC hashes an endpoint's `base_url` and `identity`; the rest changes how fast and at what price an
answer comes, and never its content.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import SplitResult, parse_qsl, urlsplit, urlunsplit

from pydantic import BeforeValidator, Field, model_validator

from alpacare.core.errors import BadInput
from alpacare.core.keys import find_key, may_be_key, names_secret
from alpacare.core.settings import Settings, check, read_yaml

OPENAI = "https://api.openai.com/v1"
OFFLINE = "recordings"  # a base_url without a server: only packs and the ledger answer
# A variable's name, and not a key: those are longer without a break, or have other characters.
_VARIABLE = re.compile(r"[A-Z][A-Z0-9]{0,15}(_[A-Z0-9]{1,16})*")
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:]+")  # what every library reads as the same host


def _check_variable(name: Any) -> Any:
    """Refuse what is no variable's name, and so may be the key itself: it is not repeated."""
    if name is None or (isinstance(name, str) and _VARIABLE.fullmatch(name)):
        return name
    raise ValueError(
        "write the name of an environment variable, in capitals, say OPENAI_API_KEY; a key that "
        "stood here must be replaced if Git has seen it"
    )


class Endpoint(Settings):
    """One server: its address, and how to send requests to it."""

    renamed: ClassVar[Mapping[str, str]] = {"patience": "idle_timeout"}

    base_url: str | None
    identity: str | None = None
    api_key: Annotated[str | None, BeforeValidator(_check_variable)] = "OPENAI_API_KEY"
    mode: Literal["online", "batch"] = "online"
    in_flight: int = Field(default=100, gt=0)
    requests_per_minute: int | None = Field(default=None, gt=0)
    tokens_per_minute: int | None = Field(default=None, gt=0)
    timeout: float = Field(default=600, gt=0)
    idle_timeout: float = Field(default=120, gt=0)

    @model_validator(mode="after")
    def _check_address(self) -> Self:
        if not self.offline:
            problem = _find_problem(self.address)
            if problem:  # without the address, which may be the key
                raise ValueError(f"{self.source} {problem}")
        return self

    @property
    def offline(self) -> bool:
        """Whether this endpoint has no server."""
        return self.base_url == OFFLINE

    @property
    def address(self) -> str:
        """The server's address: params.yaml's base_url, else $OPENAI_BASE_URL, else OpenAI."""
        return self.base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI

    @property
    def source(self) -> str:
        """Which setting the address is from."""
        from_environment = not self.base_url and os.environ.get("OPENAI_BASE_URL")
        return "$OPENAI_BASE_URL" if from_environment else "base_url"

    @property
    def host(self) -> str | None:
        """The host that requests go to; None if there is no server."""
        return None if self.offline else urlsplit(self.address).hostname

    def list_readers(self) -> list[tuple[str, str]]:
        """Give each host that reads what is sent, and where it is named; none without a server."""
        from urllib.request import getproxies, proxy_bypass

        if self.host is None:
            return []
        readers = [(self.host, self.source)]
        proxy = getproxies().get("http") or getproxies().get("all")
        plain = urlsplit(self.address).scheme == "http"  # through TLS a proxy sees the host only
        if plain and proxy and not proxy_bypass(self.host):
            host = urlsplit(proxy if "://" in proxy else f"//{proxy}").hostname
            readers.append((host or "an address that is none", "$HTTP_PROXY"))
        return readers

    @property
    def name(self) -> str:
        """The endpoint's name in the ledger's keys."""
        return self.identity or self.address.rstrip("/")

    def split_address(self) -> tuple[str, dict[str, str]]:
        """Split the query from the address: Azure needs it with every call (`?api-version=`)."""
        parts = urlsplit(self.address)
        return urlunsplit(parts._replace(query="")), dict(parse_qsl(parts.query))

    def read_key(self) -> str:
        """Read the API key from the environment or from `.env` beside params.yaml.

        Raises:
            BadInput: the variable is not set.
        """
        from dotenv import dotenv_values

        if self.api_key is None:
            return "none"  # the client needs one; the server does not check it
        folder = Path(os.environ.get("DVC_ROOT", "."))
        key = os.environ.get(self.api_key) or dotenv_values(folder / ".env").get(self.api_key)
        if not key:
            raise BadInput(
                f"no API key for {self.address}: export {self.api_key}=..., or write it into .env"
            )
        key = key.strip()
        if not (key.isascii() and key.isprintable()):
            raise BadInput(f"{self.api_key} holds a character that no key has; copy it again")
        return key


def _find_problem(address: str) -> str:
    """Say what is wrong with a server's address, without repeating it; "" if nothing is."""
    try:
        parts = urlsplit(address)
    except ValueError:  # its text quotes the address
        return "is no valid address"
    secret = "write keys into environment variables"
    if parts.username or parts.password:
        return f"holds a password; {secret}"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "is not http://... or https://..."
    if not _HOST.fullmatch(parts.hostname):
        return "names a host in other letters than a-z, 0-9, '.', '-' and '_'"
    if find_key(address) or _has_key(parts):
        return f"holds what looks like a key, behind '?' or in its path; {secret}"
    return ""


def _has_key(parts: SplitResult) -> bool:
    """Whether the query may hold a key: it would get into the ledger, packs and errors."""
    query = parse_qsl(parts.query, keep_blank_values=True)
    return bool(parts.fragment) or any(
        names_secret(name) or may_be_key(name) or may_be_key(value) for name, value in query
    )


RECORDINGS = Endpoint(base_url=OFFLINE)


def read_endpoint(name: str, path: Path = Path("params.yaml")) -> Endpoint:
    """Look up an endpoint by its name in a stage's settings.

    Raises:
        BadInput: no such endpoint, or one of its settings is wrong.
    """
    known: dict[str, Any] = read_yaml(path).get("endpoints") or {}
    if name not in known:
        raise BadInput(
            f"{path}: endpoint '{name}' is not in section 'endpoints'; known: {', '.join(known)}"
        )
    return check(known[name], Endpoint, f"{path}: endpoints.{name}.")
