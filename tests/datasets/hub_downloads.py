"""A server on loopback that gives files as the Hugging Face Hub does, and as plain hosts do.

The Hub answers a HEAD with a file's hash and commit, and sends large files' readers to its storage.
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar


@dataclass
class Hub:
    """What the server holds, what it was asked, and how it is to fail."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)  # by the end of their path
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)  # method, path, range
    keys: list[str | None] = field(default_factory=list)  # Authorization, as it came to the storage
    commit: str | None = None  # another than was asked for
    newest: str = "0123456789" * 4  # the commit of a model whose files these are
    status: int = 200
    cut: int | None = None  # bytes after which the next GET breaks off
    hold: bool = False  # ... or waits, until the reader goes
    changed: bool = False  # the storage gives other bytes than announced
    storage: str = ""  # the host that readers are sent to, if it is another


class _Handler(BaseHTTPRequestHandler):
    hub: ClassVar[Hub]

    def do_HEAD(self) -> None:
        self._note()
        content = self._content()
        if self.hub.status != 200 or content is None:
            self._end(404 if content is None else self.hub.status)
            return
        commit = self.hub.commit or self.path.split("/resolve/")[1].split("/")[0]
        self.send_response(302)
        self.send_header("X-Repo-Commit", commit)
        self.send_header("X-Linked-Etag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Linked-Size", str(len(content)))
        storage = self.hub.storage or self.hub.url.replace("127.0.0.1", "localhost")
        self.send_header("Location", f"{storage}/storage/{self.path.rpartition('/')[2]}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self._note()
        if self.path.startswith("/api/models/"):
            self._tell_model()
            return
        if self.path.startswith("/storage/"):
            self.hub.keys.append(self.headers.get("Authorization"))
        content = self._content()
        if content is None:
            self._end(404)
            return
        if self.hub.changed:
            content = content[::-1]
        start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").rstrip("-"))
        if start >= len(content):
            self._end(416)
            return
        self.send_response(206 if start else 200)
        rest = content[start:]
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        cut, self.hub.cut = self.hub.cut, None
        self.wfile.write(rest[:cut])
        if self.hub.hold:
            self.rfile.read(1)  # ends when the other side does

    def _tell_model(self) -> None:
        """What a repository of a model holds, at the newest commit."""
        files = [
            {
                "rfilename": name,
                "size": len(content),
                "lfs": {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
                | {"pointerSize": 100},
            }
            for name, content in self.hub.files.items()
        ]
        body = json.dumps({"id": "lab/tiny", "sha": self.hub.newest, "siblings": files}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _note(self) -> None:
        self.hub.asked.append((self.command, self.path, self.headers.get("Range")))

    def _content(self) -> bytes | None:
        return self.hub.files.get(self.path.rpartition("/")[2])

    def _end(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def running_hub() -> Iterator[Hub]:
    """Run a server of its own."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield hub
    server.shutdown()
    server.server_close()
