"""Replies with status 200 that are not as the API's form has them, made of one that is.

What can be read is in FORMALITIES, what cannot in UNREADABLE; the loopback server sends them as
faults of these names. Batches carry them too.
"""

import asyncio
import copy
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web
from loopback_replies import error

Reply = dict[str, Any]
_JSON = "application/json"


def _set(value: Any, *path: str | int) -> Callable[[Reply], None]:
    def change(reply: Reply) -> None:
        place: Any = reply
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change


def _drop(*path: str | int) -> Callable[[Reply], None]:
    def change(reply: Reply) -> None:
        place: Any = reply
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return change


def _each_count(form: Callable[[int], Any]) -> Callable[[Reply], None]:
    def change(reply: Reply) -> None:
        reply["usage"] = {name: form(count) for name, count in reply["usage"].items()}

    return change


def _in_parts(reply: Reply) -> None:
    message = reply["choices"][0]["message"]
    text = message["content"]
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
    parts = [{"type": "text", "text": text[:5]}, {"type": "text", "text": text[5:]}]
    message["content"] = [thought, *parts]


# kind -> a change of the reply, and the name under which it is counted
FORMALITIES: dict[str, tuple[Callable[[Reply], None], str]] = {
    "null_finish_reason": (_set(None, "choices", 0, "finish_reason"), "no finish_reason"),
    "no_finish_reason": (_drop("choices", 0, "finish_reason"), "no finish_reason"),
    "no_model": (_drop("model"), "no model"),
    "no_usage": (_drop("usage"), "no token counts"),
    "null_usage": (_set(None, "usage"), "no token counts"),
    "usage_list": (_set([], "usage"), "no token counts"),
    "usage_zero": (_each_count(lambda _: 0), "no token counts"),
    "usage_strings": (_each_count(str), "odd token counts"),
    "usage_floats": (_each_count(float), "odd token counts"),
    "content_in_parts": (_in_parts, "content in parts"),
    "nan": (_set(float("nan"), "choices", 0, "logprobs"), "NaN or an infinite number"),
}
# kind -> what the bytes become, their content type, and the name
BYTES: dict[str, tuple[Callable[[bytes], bytes], str, str]] = {
    "bom": (lambda body: b"\xef\xbb\xbf" + body, _JSON, "byte order mark"),
    "charset": (lambda body: body, f"{_JSON}; charset=iso-8859-1", "wrong charset"),
    "utf_16": (lambda body: body.decode().encode("utf-16"), _JSON, "not UTF-8"),
    "latin": (
        lambda body: body.decode().encode("latin-1"),
        f"{_JSON}; charset=iso-8859-1",
        "not UTF-8",
    ),
}
# kind -> a change, and the field that the message names
UNREADABLE: dict[str, tuple[Callable[[Reply], None], str]] = {
    "content_number": (
        _set(5, "choices", 0, "message", "content"),
        "field 'choices.0.message.content' is a number",
    ),
    "choices_missing": (_drop("choices"), "field 'choices' is missing"),
    "message_text": (_set("hm", "choices", 0, "message"), "field 'choices.0.message' is a text"),
    "message_missing": (
        _drop("choices", 0, "message"),
        "field 'choices.0' has neither 'message' nor 'text'",
    ),
}
BROKEN = {
    "truncated_json": '{"id": "x", "object": "chat.completion", "model": "m", "choi',
    "empty_choices": '{"id": "x", "object": "text", "model": "m", "choices": []}',
    "aborted": '{"model": "m", "choices": [{"finish_reason": "abort", "text": "Tak"}]}',
    "error_in_200": '{"error": {"message": "upstream failed", "type": "server_error"}}',
}
ABSURD = {"absurd_usage": 10**12, "absurd_usage_more": 10**400}


async def fail(kind: str, request: web.Request) -> web.StreamResponse:
    if kind == "reset":
        assert request.transport
        request.transport.abort()
        return web.Response()
    if kind == "garbage":
        assert request.transport
        request.transport.write(b"this is no HTTP\r\n\r\n")
        request.transport.close()
        return web.Response()
    if kind == "hang":
        await asyncio.sleep(3600)
    if kind in BROKEN:
        return web.Response(text=BROKEN[kind], content_type="application/json")
    if kind == "wrong_type":
        return web.Response(text="<html>gateway</html>", content_type="text/html")
    if kind == "http_429_after":
        return error(429, "Rate limit reached.", "rate_limit_exceeded", {"retry-after": "0.05"})
    if kind == "context_length":
        longest = "This model's maximum context length is 4096 tokens."
        return error(400, longest, "context_length_exceeded")
    if kind == "content_filter":
        return error(400, "The prompt was filtered.", "content_filter")
    status = int(kind.removeprefix("http_"))
    return error(status, f"A fault of kind {status}.", None)


def is_oddity(kind: str) -> bool:
    return kind in FORMALITIES or kind in BYTES or kind in UNREADABLE or kind in ABSURD


def change(kind: str, reply: Reply) -> Reply:
    """The reply with an oddity of its fields."""
    reply = copy.deepcopy(reply)
    if kind in ABSURD:
        reply["usage"]["completion_tokens"] = ABSURD[kind]
    else:
        (FORMALITIES | UNREADABLE)[kind][0](reply)
    return reply


def send(kind: str, reply: Reply) -> web.Response:
    """The reply with an oddity of its bytes or its fields."""
    if kind in BYTES:
        form, content_type, _ = BYTES[kind]
        body = form(json.dumps(reply, ensure_ascii=False).encode())
        return web.Response(body=body, headers={"content-type": content_type})
    body = json.dumps(change(kind, reply)).encode()
    return web.Response(body=body, content_type=_JSON)
