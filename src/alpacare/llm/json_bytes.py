"""JSON out of the bytes of a reply, whatever its encoding; what is odd is named."""

import codecs
import json
import math
import re
from contextlib import suppress
from typing import Any

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_MAY_NEED_REPAIR = re.compile(r"\\u[dD][89a-fA-F]|NaN|Infinity|[eE]\+?\d{3}")


class Unreadable(ValueError):
    """A reply without an answer that can be read; the text names the field.

    `broken`: no answer is in it at all, as it was cut off, is no JSON, or has no choices.
    """

    def __init__(self, problem: str, broken: bool = False) -> None:
        super().__init__(problem)
        self.broken = broken


def read_json_bytes(body: bytes, charset: str | None = None) -> tuple[Any, list[str]]:
    """Parse JSON of any encoding, and name what was odd; `charset` is what the header says.

    JSON is UTF-8 (RFC 8259), whatever the header says; other encodings are read where they show.

    Raises:
        Unreadable: it is no JSON, or its encoding does not show.
    """
    text, odd, complete = _decode(body, charset)
    try:
        value = json.loads(text)
        if _MAY_NEED_REPAIR.search(text):
            value = _repair(value, odd)
    except json.JSONDecodeError as error:
        place = f"character {error.pos:,} of {len(text):,}"
        raise Unreadable(f"it is not valid JSON from {place} on", broken=True) from None
    except RecursionError:
        raise Unreadable("it is nested too deeply") from None
    except ValueError:  # Python's limit on the digits of a whole number
        raise Unreadable("it has a number of more than 4,300 digits") from None
    if not complete:
        raise Unreadable("its bytes are not UTF-8")
    return value, list(dict.fromkeys(odd))


def _decode(body: bytes, charset: str | None) -> tuple[str, list[str], bool]:
    """Give the text, what was odd, and whether every byte could be read."""
    encoding = json.detect_encoding(body)  # by its first bytes: one of UTF-8, UTF-16, UTF-32
    odd = []
    if encoding == "utf-8-sig":
        odd.append("byte order mark")
    elif encoding != "utf-8":
        odd.append("not UTF-8")
    if charset and _codec(charset) not in ("utf-8", "ascii"):
        odd.append("wrong charset")
    with suppress(UnicodeDecodeError):
        return body.decode(encoding), odd, True
    with suppress(UnicodeDecodeError, LookupError):
        return body.decode(charset or ""), ["not UTF-8"], True
    return body.decode(encoding, "replace"), odd, False


def _codec(charset: str) -> str:
    try:
        return codecs.lookup(charset).name
    except LookupError:
        return charset


def _repair(value: Any, odd: list[str]) -> Any:
    """Replace what JSON cannot hold: halves of characters, NaN, infinite numbers."""
    if isinstance(value, dict):
        return {_repair(name, odd): _repair(each, odd) for name, each in value.items()}
    if isinstance(value, list):
        return [_repair(each, odd) for each in value]
    if isinstance(value, str) and _LONE_SURROGATE.search(value):
        odd.append("half of a character")
        return _LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, float) and not math.isfinite(value):
        odd.append("NaN or an infinite number")
        return None
    return value
