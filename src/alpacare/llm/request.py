"""What is asked of an LLM, and the name under which its answer is kept for ever."""

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
    """What a model costs: dollars for a million tokens; `batch` is the share paid in a batch."""

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
    sample: int = 0  # tells repeated draws of one body apart
    room: int | None = None  # tokens to ask again with when an answer is cut off; not in the key
    price: Price | None = None  # instead of that of the tables; not in the key

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
        """No more tokens than this can go in: one a byte of all that is sent (schemas, tools)."""
        return len(json.dumps(self.body, ensure_ascii=False).encode())

    def likely_input_tokens(self) -> int:
        """About four characters of English make a token under BPE; the server's count decides."""
        return len(self.prompt()) // 4 + 1

    def most_output_tokens(self) -> int | None:
        """The body's own limit, times the answers it asks for; None: it has none."""
        limits = [int(self.body[name]) for name in _LIMITS if self.body.get(name)]
        answers = max(int(self.body.get(name) or 1) for name in ("n", "best_of"))
        return min(limits) * answers if limits else None

    def with_more_room(self) -> "Request | None":
        """Make the request to send when the answer was cut off, if `room` allows a longer one."""
        now = {name: self.body[name] for name in _LIMITS if self.body.get(name)}
        if self.room is None or not now or min(now.values()) >= self.room:
            return None
        longer = dict.fromkeys(now, self.room)
        return replace(self, body={**self.body, **longer}, room=None)


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
    room: int | None = None,
    **sampling: Any,
) -> Request:
    """Make a chat completion request; of `sampling` the body gets what is not None."""
    body = _body(model, sampling, messages=messages)
    return Request(endpoint, body, label, CHAT, sample=sample, room=room)


def complete(
    endpoint: Endpoint, model: str, prompt: str, *, label: str = "", **sampling: Any
) -> Request:
    """Make a plain completion request, for base models; `sampling` as in `chat`."""
    return Request(endpoint, _body(model, sampling, prompt=prompt), label, PLAIN)


def _body(model: str, sampling: dict[str, Any], **asked: Any) -> dict[str, Any]:
    return {
        "model": model,
        **asked,
        **{name: value for name, value in sampling.items() if value is not None},
    }
