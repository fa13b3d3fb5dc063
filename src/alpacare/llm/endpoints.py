"""Servers by name: section `endpoints` of params.yaml, and the keys that the environment holds.

DVC hashes an endpoint's `base_url` and `identity`; the rest changes how fast and at what price an
answer comes, and never which.
"""

import os
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from pydantic import Field, model_validator

from alpacare.core.errors import BadInput
from alpacare.core.settings import Settings, check, read_yaml

OPENAI = "https://api.openai.com/v1"
OFFLINE = "recordings"  # a base_url that leads nowhere: only packs and the ledger answer


class Endpoint(Settings):
    """One server: where it is, and how it wants to be asked."""

    base_url: str | None
    identity: str | None = None
    api_key: str | None = "OPENAI_API_KEY"
    mode: Literal["online", "batch"] = "online"
    in_flight: int = Field(default=100, gt=0)
    requests_per_minute: int | None = Field(default=None, gt=0)
    tokens_per_minute: int | None = Field(default=None, gt=0)
    timeout: float = Field(default=600, gt=0)
    patience: float = Field(default=120, gt=0)

    @model_validator(mode="after")
    def _is_address(self) -> Self:
        if trouble := "" if self.offline else _trouble(self.address):
            where = "base_url" if self.base_url else "$OPENAI_BASE_URL"
            raise ValueError(f"{where} {trouble}")
        return self

    @property
    def offline(self) -> bool:
        """Whether there is no server behind this name."""
        return self.base_url == OFFLINE

    @property
    def address(self) -> str:
        """Where calls go: params.yaml's base_url, else $OPENAI_BASE_URL, else OpenAI."""
        return self.base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI

    @property
    def name(self) -> str:
        """Under which the ledger keeps the answers."""
        return self.identity or self.address.rstrip("/")

    def split_address(self) -> tuple[str, dict[str, str]]:
        """Part the address from its query, which Azure wants with every call (`?api-version=`)."""
        parts = urlsplit(self.address)
        return urlunsplit(parts._replace(query="")), dict(parse_qsl(parts.query))

    def read_key(self) -> str:
        """Read the API key from the environment or from `.env` beside params.yaml.

        Raises:
            BadInput: the variable is not set.
        """
        from dotenv import dotenv_values

        if self.api_key is None:
            return "none"  # the client wants one; the server does not look
        folder = Path(os.environ.get("DVC_ROOT", "."))
        key = os.environ.get(self.api_key) or dotenv_values(folder / ".env").get(self.api_key)
        if not key:
            raise BadInput(
                f"no API key for {self.address}: export {self.api_key}=..., or write it into .env"
            )
        key = key.strip()
        if not (key.isascii() and key.isprintable()):
            raise BadInput(f"{self.api_key} holds a character that no key has; paste it again")
        return key


def _trouble(address: str) -> str:
    """Say what is wrong with an address, "" if nothing is."""
    parts = urlsplit(address)
    if parts.username or parts.password:
        return "holds a password; keys come from variables of their own"
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return f"'{address}' is not http://... or https://..."
    return ""


RECORDINGS = Endpoint(base_url=OFFLINE)


def read_endpoint(name: str, path: Path = Path("params.yaml")) -> Endpoint:
    """Look an endpoint up by the name that a stage's settings give.

    Raises:
        BadInput: no such endpoint, or one of its settings is wrong.
    """
    known: dict[str, Any] = read_yaml(path).get("endpoints") or {}
    if name not in known:
        raise BadInput(
            f"{path}: endpoint '{name}' is not in section 'endpoints'; known: {', '.join(known)}"
        )
    return check(known[name], Endpoint, f"{path}: endpoints.{name}.")
