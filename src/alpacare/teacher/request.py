"""What is asked of an LLM, and the name under which its answer is kept for ever."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field


@dataclass(frozen=True)
class Request:
    """One call: `body` is sent as it is; `label` is for people and no part of the key."""

    endpoint: str  # a base URL, or "recordings"
    body: dict[str, Any]
    label: str = ""
    path: str = "/chat/completions"
    sample: int = 0  # tells repeated draws of one body apart

    def content(self) -> dict[str, Any]:
        """Everything that can change the answer; never the row's position or the API key."""
        return {
            "path": self.path,
            "endpoint": self.endpoint,
            "body": self.body,
            "sample": self.sample,
        }

    def key(self) -> str:
        """SHA-256 of the canonical JSON of the content, in hex."""
        return content_key(self.content())


def content_key(content: dict[str, Any]) -> str:
    """Hash a request's content: sorted keys, no blanks, UTF-8."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def chat(
    endpoint: str, model: str, messages: list[dict[str, str]], *, label: str = "", **sampling: Any
) -> Request:
    """Make a chat completion request; `sampling` goes into the body as it is."""
    return Request(endpoint, {"model": model, "messages": messages, **sampling}, label)


class Message(BaseModel):
    """What the model said; null when it only refused."""

    content: str | None


class Choice(BaseModel):
    """One reply: `finish_reason` is "stop", "length", ..."""

    message: Message
    finish_reason: str


class ChatResponse(BaseModel):
    """The parts of an API's chat completion that this project relies on."""

    model: str
    choices: list[Choice] = Field(min_length=1)


@dataclass(frozen=True)
class Answer:
    """An LLM's answer to the request with this key."""

    key: str
    response: ChatResponse

    @property
    def text(self) -> str:
        """The first choice's text."""
        return self.response.choices[0].message.content or ""

    @property
    def finish_reason(self) -> str:
        """Why the text ends: "stop", "length", ..."""
        return self.response.choices[0].finish_reason

    @property
    def model(self) -> str:
        """The model version that the server reported."""
        return self.response.model
