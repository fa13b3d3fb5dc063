"""The parts of an API's reply that this project relies on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from pydantic import BaseModel, Field, model_validator

from alpacare.core.names import public_name
from alpacare.core.texts import repair_text
from alpacare.records.thoughts import remove_thoughts

CAPPED = "price capped"  # the server's count was above what the call can have taken


class Message(BaseModel):
    """The model's answer; `content` is null when it only refused."""

    content: str | None = None  # Azure leaves it out when it has filtered the answer
    refusal: str | None = None
    # a reasoning model's thoughts, where its server keeps them apart
    reasoning_content: Any = None
    reasoning: Any = None


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

    @property
    def answer(self) -> str | None:
        """The text, of a message or a plain completion."""
        return self.text if self.message is None else self.message.content

    @property
    def filtered(self) -> bool:
        """Whether the server's own filter held the answer back, or cut it."""
        return self.finish_reason == "content_filter"

    @property
    def has_thoughts(self) -> bool:
        """Whether the server sent thoughts beside the text."""
        return bool(self.message and (self.message.reasoning_content or self.message.reasoning))


class CachedTokens(BaseModel):
    """How many prompt tokens were billed at the price for cached ones."""

    cached_tokens: int | None = Field(default=None, ge=0, strict=True)


class TokenCounts(BaseModel):
    """The tokens that the server bills; a count that it left out, or that is no number, is null."""

    prompt_tokens: int | None = Field(default=None, ge=0, strict=True)
    completion_tokens: int | None = Field(default=None, ge=0, strict=True)
    # some servers count reasoning here only
    total_tokens: int | None = Field(default=None, ge=0, strict=True)
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
    # oddities of the bytes that came, and of the price: the ledger's JSON does not show them
    warnings: list[str] = Field(default_factory=list, exclude_if=lambda names: not names)


@dataclass(frozen=True, slots=True)
class Answer:
    """An LLM's answer to the request with this key.

    `text` is without a reasoning model's thoughts, `whole` with those that came in it. `refused`:
    by the model, whose words are `refusal`, or by a filter of the server, which are no answer.
    """

    key: str
    text: str
    whole: str
    finish_reason: str
    model: str  # the version that the server reported
    thoughts: bool = False  # whether any came, in the text or beside it
    refused: bool = False
    refusal: str = ""
    fingerprint: str | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    price: float | None = None  # dollars; None if it was not paid
    call: Call | None = None
    warnings: tuple[str, ...] = ()  # what was odd in the reply, in a few words each
    cut: "Answer | None" = field(default=None)  # the cut-off answer that this one replaced

    @property
    def said(self) -> str:
        """What the model said, as a model under test is judged by it: its text, or its refusal."""
        return self.refusal if self.refusal and not self.text.strip() else self.text

    @classmethod
    def from_completion(
        cls,
        key: str,
        completion: Completion,
        price: float | None = None,
        call: Call | None = None,
        odd: Sequence[str] = (),
    ) -> Self:
        """Take the first choice and the counts out of a completion; `odd` names its oddities."""
        choice = completion.choices[0]
        text = choice.answer or ""
        repaired = repair_text(text)
        answer = remove_thoughts(repaired)
        refusal = (choice.message and choice.message.refusal) or ""
        refused = choice.filtered or bool(refusal)
        warnings = (*odd, *(call.warnings if call else ()))
        counts = None if CAPPED in warnings else completion.usage
        if call and not (refused or (completion.usage and completion.usage.prompt_tokens)):
            warnings = (*warnings, "no token counts")
        if repaired != text:  # the ledger has it as it came
            warnings = (*warnings, "control or invisible characters")
        return cls(
            key=key,
            text=answer,
            whole=repaired,
            finish_reason=choice.finish_reason,
            model=public_name(completion.model),  # vLLM may report a folder
            thoughts=choice.has_thoughts or answer != repaired,
            refused=refused,
            refusal="" if choice.filtered else repair_text(refusal),
            fingerprint=completion.system_fingerprint,
            tokens_in=(counts.prompt_tokens if counts else None) or 0,
            tokens_out=(counts.completion_tokens if counts else None) or 0,
            price=price,
            call=call,
            warnings=warnings,
        )


def refusal_reply(message: str, model: str) -> dict[str, Any]:
    """Give a content filter's error the form of an answer, so that it is stored and counted."""
    choice = {"message": {"content": None, "refusal": message}, "finish_reason": "content_filter"}
    return {"model": model, "choices": [choice]}
