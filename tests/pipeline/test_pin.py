"""A base without a commit gets the Hub's of today: a server on loopback stands for the Hub."""

import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import REPOSITORY, run

from alpacare.cli.settings import pin

COMMIT = "ab" * 20


class Hub(BaseHTTPRequestHandler):
    """Knows one model."""

    def do_GET(self) -> None:
        known = self.path.split("?")[0] == "/api/models/Qwen/Qwen3-4B"
        body = json.dumps({"id": "Qwen/Qwen3-4B", "sha": COMMIT} if known else {"error": "no"})
        self.send_response(200 if known else 404)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(params: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    shutil.copytree(REPOSITORY / "students", "students")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield
    server.shutdown()
    server.server_close()


def test_the_commit_is_written_once_and_comments_stay(hub: None) -> None:
    path = Path("students/qwen3-4b.yaml")
    comments = [line for line in path.read_text().splitlines() if line.startswith("#")]
    done = run(pin, "qwen3-4b")
    assert done.exit_code == 0, done.output
    lines = path.read_text().splitlines()
    assert [line.split("#")[0].strip() for line in lines if "revision" in line] == [
        f"revision: {COMMIT}"
    ]
    assert [line for line in lines if line.startswith("#")] == comments
    again = run(pin, "qwen3-4b")
    assert (again.exit_code, "revision: null, are wanted here" in again.output) == (2, True)


def test_a_model_that_the_hub_does_not_know_changes_nothing(hub: None) -> None:
    path = Path("students/qwen3-8b.yaml")
    before = path.read_bytes()
    done = run(pin, "qwen3-8b")
    assert done.exit_code == 2
    assert "base: Qwen/Qwen3-8B: the Hub answers 404: it does not exist, or wants" in done.output
    assert path.read_bytes() == before
