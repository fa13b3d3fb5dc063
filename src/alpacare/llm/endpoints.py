"""Servers by name: section `endpoints` of params.yaml, and the keys that the environment holds.

DVC hashes an endpoint's `base_url` and `identity`; the rest changes how fast and at what price an
answer comes, and never its content.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from pydantic import Field, model_validator

from alpacare.core.errors import BadInput
from alpacare.core.settings import Settings, check, read_yaml

OPENAI = "https://api.openai.com/v1"
OFFLINE = "recordings"  # a base_url without a server: only packs and the ledger answer


class Endpoint(Settings):
    """One server: its address, and how to send requests to it."""

    renamed: ClassVar[Mapping[str, str]] = {"patience": "idle_timeout"}

    base_url: str | None
    identity: str | None = None
    api_key: str | None = "OPENAI_API_KEY"
    mode: Literal["online", "batch"] = "online"
    in_flight: int = Field(default=100, gt=0)
    requests_per_minute: int | None = Field(default=None, gt=0)
    tokens_per_minute: int | None = Field(default=None, gt=0)
    timeout: float = Field(default=600, gt=0)
    idle_timeout: float = Field(default=120, gt=0)

    @model_validator(mode="after")
    def _check_address(self) -> Self:
        where = "base_url" if self.base_url else "$OPENAI_BASE_URL"
        parts = urlsplit(self.address)
        if self.offline:
            return self
        if parts.username or parts.password:
            raise ValueError(f"{where} holds a password; write keys into environment variables")
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError(f"{where} '{self.address}' is not http://... or https://...")
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
