"""Reading a batch's output file: JSON Lines in any order, an answer or an error each."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from alpacare.llm.cache_pack import Entry
from alpacare.llm.json_bytes import Unreadable, read_json_bytes
from alpacare.llm.prices import BATCH, Prices
from alpacare.llm.reply import Call
from alpacare.llm.reply_reader import Reply, ServerError, read_reply
from alpacare.llm.request import Request
from alpacare.llm.reservations import now
from alpacare.llm.unread import UnreadReply

_KEY = re.compile(rb"[0-9a-f]{64}")


def read_output(
    output: bytes, requests: Mapping[str, Request], prices: Prices
) -> tuple[list[Entry], list[UnreadReply]]:
    """Read the answers to `requests` (by key), and the replies that cannot be read.

    What failed at the server is in neither.
    """
    entries: dict[str, Entry] = {}
    unread: dict[str, UnreadReply] = {}
    for line in output.split(b"\n"):  # JSON may hold every other kind of line end as it is
        key = _key(line, requests)
        if key is None or key in entries:
            continue
        request = requests[key]
        worst = prices.worst(request, BATCH)
        call = Call(seconds=0, mode=BATCH, prices=prices.source(request))
        try:
            reply = read_line(line)
            paid = prices.paid(request, reply.completion, BATCH, worst)
            entries[key] = Entry.of(key, request.content(), reply, now(), paid, call)
        except Unreadable as error:
            unread[key] = UnreadReply.of(request, line, str(error), now(), worst, call)
        except ServerError:
            continue
    return list(entries.values()), [each for key, each in unread.items() if key not in entries]


def read_line(line: bytes) -> Reply:
    """Read the reply on one line.

    Raises:
        Unreadable: there is one, and it cannot be read.
        ServerError: the request failed at the server.
    """
    value, odd = read_json_bytes(line)
    response = value.get("response") if isinstance(value, dict) else None
    if not isinstance(response, dict):
        raise ServerError
    if str(response.get("status_code", HTTPStatus.OK.value)) != str(HTTPStatus.OK.value):
        raise ServerError
    body = response.get("body")
    reply = read_reply(body.encode() if isinstance(body, str) else body)
    return Reply(reply.raw, reply.completion, [*odd, *reply.odd_bytes], reply.odd_fields)


def _key(line: bytes, requests: Mapping[str, Request]) -> str | None:
    """Find the request that a line answers, also where the line is cut off."""
    with suppress(ValueError, RecursionError):
        value: Any = json.loads(line)
        if isinstance(value, dict) and (key := str(value.get("custom_id"))) in requests:
            return key
    found = (match[0].decode() for match in _KEY.finditer(line))
    return next((key for key in found if key in requests), None)
