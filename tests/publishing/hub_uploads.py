"""A server on loopback that takes uploads as the Hugging Face Hub does, by plain Git LFS.

Clients must not use Xet (HF_HUB_DISABLE_XET=1). It keeps what it got, byte for byte.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ruamel.yaml import YAML

TOKEN = "hf_" + "loopbackloopbackloopback"
LARGE = 400  # bytes from which a file goes by LFS; the real Hub's limit is 10 MB


@dataclass
class Repository:
    """One repository: its files as committed, and who may see them."""

    visibility: str
    files: dict[str, bytes] = field(default_factory=dict)
    large: set[str] = field(default_factory=set)
    commits: int = 0

    def oid(self, path: str) -> str | None:
        content = self.files.get(path)
        if content is None:
            return None
        if path in self.large:
            return hashlib.sha256(content).hexdigest()
        return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Hub(ThreadingHTTPServer):
    """`refuse`: a status for each part of an address; `puts_left`: large files before it breaks."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories: dict[str, Repository] = {}
        self.objects: dict[str, bytes] = {}
        self.refuse: dict[str, int] = {}
        self.puts_left: int | None = None
        self.puts = 0
        self.hold: threading.Event | None = None  # large files wait for it
        self.held = threading.Event()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._serve(self._get)

    def do_POST(self) -> None:
        self._serve(self._post)

    def do_PUT(self) -> None:
        body = self._body()
        self.server.held.set()
        if self.server.hold:
            self.server.hold.wait(60)
        with self.server.lock:
            self.server.puts += 1
            if self.server.puts_left == 0:
                return self._answer(400, {"error": "the storage failed"})
            if self.server.puts_left:
                self.server.puts_left -= 1
            oid = self.path.rpartition("/")[2]
            if hashlib.sha256(body).hexdigest() != oid:
                return self._answer(400, {"error": "other bytes than announced"})
            self.server.objects[oid] = body
        return self._answer(200, {})

    def _serve(self, handle: Any) -> None:
        body = self._body()
        for part, status in self.server.refuse.items():
            if part in self.path:
                return self._answer(status, {"error": "refused"})
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._answer(401, {"error": "Invalid credentials"})
        with self.server.lock:
            return self._answer(*handle(self.path.partition("?")[0], body))

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            chunks = []
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(self, status: int, value: Any) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _get(self, path: str, _: bytes) -> tuple[int, Any]:
        name = path.removeprefix("/api/").removesuffix("/revision/main")
        found = self.server.repositories.get(name)
        if found is None:
            return 404, {"error": "Repository not found"}
        return 200, {
            "id": name.partition("/")[2],
            "private": found.visibility == "private",
            "sha": f"{found.commits:040x}",
            "siblings": [{"rfilename": path} for path in found.files],
            "tags": [],
            "downloads": 0,
            "likes": 0,
        }

    def _post(self, path: str, body: bytes) -> tuple[int, Any]:
        if path == "/api/validate-yaml":
            return _check_card(json.loads(body)["content"])
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if path.endswith("/objects/batch"):
            return self._batch(json.loads(body))
        name, _, action = path.removeprefix("/api/").rpartition("/")[0].rpartition("/")
        repository = self.server.repositories[name]
        if action == "preupload":
            return 200, {"files": [_mode(repository, file) for file in json.loads(body)["files"]]}
        self._commit(repository, [json.loads(line) for line in body.splitlines()])
        oid = f"{repository.commits:040x}"
        url = f"{self.server.url}/{name.removeprefix('models/')}/commit/{oid}"
        return 200, {"commitUrl": url, "commitOid": oid}

    def _create(self, asked: dict[str, Any]) -> tuple[int, Any]:
        name = f"{asked['type']}s/{asked['organization']}/{asked['name']}"
        url = f"{self.server.url}/{name.removeprefix('models/')}"
        if name in self.server.repositories:
            return 409, {"error": "You already created this repo", "url": url}
        self.server.repositories[name] = Repository(asked["visibility"])
        return 200, {"url": url}

    def _batch(self, asked: dict[str, Any]) -> tuple[int, Any]:
        assert "basic" in asked["transfers"]
        objects = []
        for each in asked["objects"]:
            if each["oid"] not in self.server.objects:
                href = f"{self.server.url}/lfs/{each['oid']}"
                each |= {"actions": {"upload": {"href": href}}}
            objects.append(each)
        return 200, {"transfer": "basic", "objects": objects}

    def _commit(self, repository: Repository, lines: list[dict[str, Any]]) -> None:
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                repository.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                repository.files[value["path"]] = self.server.objects[value["oid"]]
                repository.large.add(value["path"])
        repository.commits += 1


def _mode(repository: Repository, file: dict[str, Any]) -> dict[str, Any]:
    mode = "lfs" if file["size"] >= LARGE else "regular"
    oid = repository.oid(file["path"])
    return {"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid}


def _check_card(text: str) -> tuple[int, Any]:
    """Take only front matter that is YAML and names a licence in the Hub's way."""
    head = YAML(typ="safe").load(text.split("---\n")[1])
    if not head.get("license") or head["license"] != head["license"].lower():
        return 400, {"errors": [{"message": '"license" must be one of the Hub\'s'}], "warnings": []}
    return 200, {"errors": [], "warnings": []}


@contextmanager
def hub() -> Iterator[Hub]:
    """Serve until the end of the block."""
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
