"""Read replies of servers that keep to the API's form in all but formalities.

A reply is paid for, so what can be read without a guess is read, and each oddity is named: a field
that is missing, numbers as strings, text in parts, a byte order mark. The names are counted as
warnings in a stage's usage.
"""

import json
import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from alpacare.llm.json_bytes import Unreadable, read_json_bytes
from alpacare.llm.reply import Completion

UNKNOWN = "unknown"  # a finish_reason or model that the server did not name
_TEXT_PARTS = ("text", "output_text", None)
_THOUGHTS = ("thinking", "redacted_thinking", "reasoning")  # parts that are not the answer
_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")


class ServerError(Exception):
    """The request failed at the server, which does not bill it."""


@dataclass(frozen=True)
class Reply:
    """A reply as JSON, the same read, and its oddities: of the bytes, and of the JSON."""

    raw: dict[str, Any]
    completion: Completion
    odd_bytes: Sequence[str]
    odd_fields: Sequence[str]


def read_reply(body: bytes | Any, charset: str | None = None) -> Reply:
    """Read a reply as it came, or (from a batch's output) as JSON.

    Raises:
        Unreadable: it holds no answer that can be read.
        ServerError: it says that the request failed at the server.
    """
    raw, odd = read_json_bytes(body, charset) if isinstance(body, bytes) else (body, [])
    if isinstance(raw, dict) and raw.get("error"):
        raise ServerError
    completion, odd_fields = read_completion(raw)
    return Reply(raw, completion, odd, odd_fields)


def read_completion(raw: Any) -> tuple[Completion, list[str]]:
    """Read a parsed reply, and name its odd fields.

    Raises:
        Unreadable: it holds no answer that can be read.
    """
    with suppress(ValidationError):
        return Completion.model_validate(raw), []
    return _read_around(raw)


def read_stored(response: str) -> tuple[Completion, list[str]]:
    """Read a reply that the ledger holds, as `read_completion` and faster."""
    with suppress(ValidationError):
        return Completion.model_validate_json(response), []
    return _read_around(json.loads(response))


def _read_around(raw: Any) -> tuple[Completion, list[str]]:
    """Give the first choice and the counts the API's form, and name what had another."""
    odd: list[str] = []
    if not isinstance(raw, dict):
        raise Unreadable(f"it is {_kind(raw)} and not a JSON object")
    choice = _first_choice(raw)
    fingerprint = raw.get("system_fingerprint")
    clean = {
        "model": _name(raw.get("model"), "model", odd),
        "choices": [
            {
                "finish_reason": _name(choice.get("finish_reason"), "finish_reason", odd),
                **_message(choice, odd),
            }
        ],
        "usage": _counts(raw.get("usage"), odd),
        "system_fingerprint": fingerprint if isinstance(fingerprint, str) else None,
    }
    return Completion.model_validate(clean), odd


def _first_choice(raw: dict[str, Any]) -> dict[str, Any]:
    if "choices" not in raw:
        raise Unreadable("field 'choices' is missing")
    choices = raw["choices"]
    if choices is None or choices == []:
        raise Unreadable("field 'choices' is empty", broken=True)
    if not isinstance(choices, list):
        raise Unreadable(f"field 'choices' is {_kind(choices)}")
    if not isinstance(choices[0], dict):
        raise Unreadable(f"field 'choices.0' is {_kind(choices[0])}")
    return choices[0]


def _name(value: Any, field: str, odd: list[str]) -> str:
    if isinstance(value, str):
        return value
    odd.append(f"no {field}")
    return UNKNOWN


def _message(choice: dict[str, Any], odd: list[str]) -> dict[str, Any]:
    """Give a choice's `message` or `text` the API's form."""
    message = choice.get("message")
    if message is None and choice.get("text") is not None:
        return {"text": _text(choice["text"], "choices.0.text", odd)}
    if message is None:
        raise Unreadable("field 'choices.0' has neither 'message' nor 'text'")
    if not isinstance(message, dict):
        raise Unreadable(f"field 'choices.0.message' is {_kind(message)}")
    refusal = message.get("refusal")
    if refusal is not None and not isinstance(refusal, str):
        odd.append("odd refusal")
        refusal = json.dumps(refusal) if refusal else None
    content = _text(message.get("content"), "choices.0.message.content", odd)
    thoughts = _thoughts(message)
    return {"message": {"content": content, "refusal": refusal, "reasoning": thoughts}}


def _text(value: Any, field: str, odd: list[str]) -> str | None:
    """Give a text that may come in parts; parts with the model's thoughts are not the answer."""
    if value is None or isinstance(value, str):
        return value
    parts = value if isinstance(value, list) else [value]
    texts = [_part(part) for part in parts]
    if not any(text is not None for text in texts) and texts:
        raise Unreadable(f"field '{field}' is {_kind(value)} without text")
    odd.append("content in parts")
    return "".join(text or "" for text in texts)


def _thoughts(message: dict[str, Any]) -> Any:
    """Give what a message has beside its answer: thoughts in a field, or as parts of the text."""
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    found = [part for part in parts if isinstance(part, dict) and part.get("type") in _THOUGHTS]
    return message.get("reasoning_content") or message.get("reasoning") or found


def _part(part: Any) -> str | None:
    """Give the text of one part, "" for a thought; None if it is something else."""
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        return None
    if part.get("type") in _THOUGHTS:
        return ""
    text = part.get("text")
    return text if part.get("type") in _TEXT_PARTS and isinstance(text, str) else None


def _counts(usage: Any, odd: list[str]) -> dict[str, Any] | None:
    """Give the token counts as whole numbers; what is no number is left out."""
    if not isinstance(usage, dict):
        return None
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    counts = {name: _count(usage.get(name)) for name in _COUNTS}
    if any(counts[name] is not usage.get(name) for name in _COUNTS) or _count(cached) is not cached:
        odd.append("odd token counts")
    return {**counts, "prompt_tokens_details": {"cached_tokens": _count(cached)}}


def _count(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if value >= 0 else None
    with suppress(TypeError, ValueError, OverflowError):
        return count if (count := math.ceil(float(value))) >= 0 else None
    return None


def _kind(value: Any) -> str:
    """Name a JSON value's kind."""
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    return "null" if value is None else kinds.get(type(value), "a number")
