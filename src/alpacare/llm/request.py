"""A request to an LLM, and the key under which the ledger stores its answer."""

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from pydantic import Field

from alpacare.core.settings import Settings
from alpacare.llm.endpoints import Endpoint

CHAT = "/chat/completions"
PLAIN = "/completions"
_LIMITS = ("max_completion_tokens", "max_tokens")  # vendors' two names for one limit


class Price(Settings):
    """A model's price: dollars for a million tokens; `batch` is the share paid in a batch."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    batch: float = Field(default=1.0, ge=0, le=1)


@dataclass(frozen=True)
class Request:
    """One call: `body` is sent as it is; `label` is for people and no part of the key."""

    endpoint: Endpoint
    body: dict[str, Any]
    label: str = ""
    path: str = CHAT
    sample: int = 0  # distinguishes repeated samples of one body
    retry_max_tokens: int | None = None  # limit to ask again with after a cut-off; not in the key
    price: Price | None = None  # overrides the tables; not in the key

    def content(self) -> dict[str, Any]:
        """Everything that can change the answer; never the row's position or the API key."""
        return {
            "path": self.path,
            "endpoint": self.endpoint.name,
            "body": self.body,
            "sample": self.sample,
        }

    def key(self) -> str:
        """SHA-256 of the canonical JSON of the content, in hex."""
        return self._key

    @cached_property
    def _key(self) -> str:
        return content_key(self.content())

    def prompt(self) -> str:
        """Everything the model reads, as one text."""
        if "messages" not in self.body:
            return str(self.body["prompt"])
        return "\n".join(str(message["content"]) for message in self.body["messages"])

    def most_input_tokens(self) -> int:
        """Upper bound of the input tokens: one a byte of all that is sent (schemas, tools)."""
        return len(json.dumps(self.body, ensure_ascii=False).encode())

    def likely_input_tokens(self) -> int:
        """Estimate the input tokens: about four characters of English make one under BPE."""
        return len(self.prompt()) // 4 + 1

    def most_output_tokens(self) -> int | None:
        """The body's own limit, times the answers that it asks for; None if it has no limit."""
        limits = [int(self.body[name]) for name in _LIMITS if self.body.get(name)]
        answers = max(int(self.body.get(name) or 1) for name in ("n", "best_of"))
        return min(limits) * answers if limits else None

    def with_higher_limit(self) -> "Request | None":
        """Make the request to send after a cut-off answer, if `retry_max_tokens` is higher."""
        now = {name: self.body[name] for name in _LIMITS if self.body.get(name)}
        limit = self.retry_max_tokens
        if limit is None or not now or min(now.values()) >= limit:
            return None
        body = {**self.body, **dict.fromkeys(now, limit)}
        return replace(self, body=body, retry_max_tokens=None)


def content_key(content: dict[str, Any]) -> str:
    """Hash a request's content: sorted keys, no blanks, UTF-8."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def chat(
    endpoint: Endpoint,
    model: str,
    messages: list[dict[str, str]],
    *,
    label: str = "",
    sample: int = 0,
    retry_max_tokens: int | None = None,
    **sampling: Any,
) -> Request:
    """Make a chat completion request; of `sampling` the body gets what is not None."""
    body = _body(model, sampling, messages=messages)
    return Request(endpoint, body, label, CHAT, sample=sample, retry_max_tokens=retry_max_tokens)


def complete(
    endpoint: Endpoint, model: str, prompt: str, *, label: str = "", **sampling: Any
) -> Request:
    """Make a plain completion request, for base models; `sampling` as in `chat`."""
    return Request(endpoint, _body(model, sampling, prompt=prompt), label, PLAIN)


def _body(model: str, sampling: dict[str, Any], **content: Any) -> dict[str, Any]:
    given = {name: value for name, value in sampling.items() if value is not None}
    return {"model": model, **content, **given}
