"""`hf://ORG/NAME` against a Hub on loopback, in a process of its own: its address is read once."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from conftest import REPOSITORY
from own_project import make_project

from alpacare.core.settings import read_yaml

COMMIT = "0123456789" * 4
CARD = """---
license: cc-by-4.0
configs:
- config_name: main
  data_files:
  - {split: train, path: train.jsonl}
  - {split: test, path: test.jsonl}
- config_name: extra
  data_files: test.jsonl
---
"""
ROWS = [{"instruction": "What is a pulse?", "output": "A beat of the heart."}]
FILES = {
    "README.md": CARD,
    "train.jsonl": "".join(json.dumps(row) + "\n" for row in ROWS),
    "test.jsonl": '{"other": 5}',
    "set.py": "raise SystemExit('remote code')",
}
COMMANDS = [
    ["import", "responses", "hf://lab/set@v1", "--config", "main", "--split", "train",
     "--model", "gpt-4"],
    ["import", "responses", "hf://lab/set", "--model", "m"],
    ["import", "responses", "hf://lab/none", "--model", "m"],
    ["import", "responses", "hf://lab/coded", "--model", "m"],
]  # fmt: skip
RUN_ALL = """
import json, sys
from click.testing import CliRunner
from alpacare.cli.main import main
for words in json.loads(sys.argv[1]):
    done = CliRunner().invoke(main, words)
    print(json.dumps([done.exit_code, done.output]))
"""


class Hub(BaseHTTPRequestHandler):
    """Answers as the Hub does for lab/set and lab/coded, which has a script; notes who is asked."""

    asked: ClassVar[list[str]]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        path = self.path.split("?")[0]
        _, _, repo = path.partition("/datasets/")
        name, _, rest = repo.partition("/tree/" if "/tree/" in repo else "/resolve/")
        files = [file for file in FILES if name == "lab/coded" or file != "set.py"]
        if "/tree/" in path:
            return self.reply([{"type": "file", "path": file, "size": len(FILES[file]),
                                "oid": "0" * 40} for file in files])  # fmt: skip
        if path.startswith("/api/datasets/lab/") and not name.startswith("lab/none"):
            card = {"license": "cc-by-4.0"}
            return self.reply({"id": "lab/set", "sha": COMMIT, "cardData": card, "siblings": []})
        file = rest.rpartition("/")[2].replace("coded.py", "set.py")
        if file in files:
            return self.reply(FILES[file].encode(), {"X-Repo-Commit": COMMIT, "ETag": f'"{file}"'})
        kind = "RepoNotFound" if "lab/none" in path else "EntryNotFound"
        return self.reply(b"", {"X-Error-Code": kind}, 404)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_CONNECT(self) -> None:
        self.asked.append(f"elsewhere: {self.path}")
        self.reply(b"", {}, 403)

    def reply(self, value: Any, headers: dict[str, str] | None = None, status: int = 200) -> None:
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, each in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, each)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[str]:
    Hub.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_dataset_of_the_hub_comes_in_by_its_commit(workspace: Path, hub: str) -> None:
    project = workspace / "project"
    project.mkdir()
    make_project(project)
    proxies = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), hub)
    environment = os.environ | proxies | {
        "PYTHONPATH": str(REPOSITORY / "src"), "HF_ENDPOINT": hub, "HF_HOME": str(workspace / "hf"),
        "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "HF_HUB_OFFLINE": "0",
        "DVC_SITE_CACHE_DIR": str(workspace / "site"), "GIT_CONFIG_GLOBAL": os.devnull,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL, json.dumps(COMMANDS)],
        cwd=project, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [code for code, _ in results] == [0, 2, 2, 2], results
    imported = project / "data/imported/set.jsonl"
    assert json.loads(imported.read_text())["output"] == "A beat of the heart."
    assert read_yaml(project / "data/imported/set.jsonl.dvc")["meta"] == {
        "source": f"hf://lab/set@{COMMIT}",
        "split": "train",
        "config": "main",
        "licence": "cc-by-4.0, as the dataset's page says",
    }
    lines = [output for code, output in results if code]
    assert all(line.count("\n") == 1 for line in lines), lines
    for line, message in zip(
        lines,
        [
            "--config is missing; name one of the available configs: ['main', 'extra']",
            "the Hub answers 404: it does not exist, or wants its terms",
            "Dataset scripts are no longer supported",
        ],
        strict=True,
    ):
        assert message in line
    assert any("/revision/v1" in path for path in Hub.asked)
    assert not [path for path in Hub.asked if path.startswith("elsewhere")]
