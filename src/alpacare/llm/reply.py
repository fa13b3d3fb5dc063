"""The parts of an API's reply that this project relies on."""

from dataclasses import dataclass, field
from typing import Any, Self

from pydantic import BaseModel, Field, model_validator


class Message(BaseModel):
    """The model's answer; `content` is null when it only refused."""

    content: str | None = None  # Azure leaves it out when it has filtered the answer
    refusal: str | None = None


class Choice(BaseModel):
    """One reply, of a chat (`message`) or a plain completion (`text`)."""

    finish_reason: str  # "stop", "length", "content_filter", ...
    message: Message | None = None
    text: str | None = None

    @model_validator(mode="after")
    def _has_text(self) -> Self:
        if self.message is None and self.text is None:
            raise ValueError("neither 'message' nor 'text'")
        return self


class CachedTokens(BaseModel):
    """How many prompt tokens were billed at the price for cached ones."""

    cached_tokens: int | None = None


class TokenCounts(BaseModel):
    """The tokens that the server bills."""

    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(default=0, ge=0)
    total_tokens: int = 0  # some servers count reasoning here only
    prompt_tokens_details: CachedTokens | None = None


class Completion(BaseModel):
    """A completion, chat or plain; whatever else the server sent is in the ledger only."""

    model: str
    choices: list[Choice] = Field(min_length=1)
    usage: TokenCounts | None = None
    system_fingerprint: str | None = None


class Call(BaseModel):
    """How an answer was obtained."""

    seconds: float  # of the call that succeeded; in a batch 0
    retries: dict[str, int] = Field(default_factory=dict)  # failed tries before it, by kind
    mode: str = "online"  # or "batch"
    prices: str | None = None  # the table that the price is from


@dataclass(frozen=True, slots=True)
class Answer:
    """An LLM's answer to the request with this key."""

    key: str
    text: str
    finish_reason: str
    model: str  # the version that the server reported
    refused: bool = False
    fingerprint: str | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    price: float | None = None  # dollars; None if it was not paid
    call: Call | None = None
    cut: "Answer | None" = field(default=None)  # the cut-off answer that this one replaced

    @classmethod
    def from_completion(
        cls, key: str, completion: Completion, price: float | None = None, call: Call | None = None
    ) -> Self:
        """Take the first choice and the counts out of a completion."""
        choice = completion.choices[0]
        text = choice.text if choice.message is None else choice.message.content
        counts = completion.usage
        return cls(
            key=key,
            text=text or "",
            finish_reason=choice.finish_reason,
            model=completion.model,
            refused=bool(choice.message and choice.message.refusal)
            or choice.finish_reason == "content_filter",
            fingerprint=completion.system_fingerprint,
            tokens_in=counts.prompt_tokens if counts else 0,
            tokens_out=counts.completion_tokens if counts else 0,
            price=price,
            call=call,
        )


def refusal_reply(message: str, model: str) -> dict[str, Any]:
    """Give a content filter's error the form of an answer, so that it is stored and counted."""
    choice = {"message": {"content": None, "refusal": message}, "finish_reason": "content_filter"}
    return {"model": model, "choices": [choice]}
