"""What the parts of the loopback server share: a request's name, an error's form."""

import hashlib
import json

from aiohttp import web


def digest(text: str) -> str:
    """A request's key in the server's state: the same for any spelling of the same JSON."""
    return hashlib.sha256(json.dumps(json.loads(text), sort_keys=True).encode()).hexdigest()[:16]


def error(
    status: int, message: str, code: str | None, headers: dict[str, str] | None = None
) -> web.Response:
    body = {"error": {"message": message, "type": "x", "param": None, "code": code}}
    return web.json_response(body, status=status, headers=headers)
