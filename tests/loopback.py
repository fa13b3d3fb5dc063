"""A server that speaks the OpenAI protocol on loopback: completions, files, batches, faults.

    python tests/loopback.py '{"latency": 0.2, "faults": {"http_500": 0.1}}'

prints its port and serves until it is killed. Answers depend on the request alone, so two runs can
be compared byte for byte; faults are drawn in order of arrival. `GET /_state` returns what it saw.
"""

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from loopback_server import Config, Loopback


async def serve(config: Config) -> None:
    runner = web.AppRunner(Loopback(config).app(), access_log=None, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=4096)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


@dataclass
class Running:
    """A server in a process of its own."""

    port: int
    process: "subprocess.Popen[str]"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def state(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_state") as reply:
            state: dict[str, Any] = json.load(reply)
        return state

    def configure(self, **config: Any) -> None:
        self._post("_config", config)

    def reset(self, **config: Any) -> None:
        self._post("_reset", config)

    def _post(self, path: str, config: dict[str, Any]) -> None:
        address = f"http://127.0.0.1:{self.port}/{path}"
        data = json.dumps(config).encode()
        urllib.request.urlopen(urllib.request.Request(address, data=data)).close()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def running(**config: Any) -> Iterator[Running]:
    """Start the server with this Config, and stop it at the end of the block."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__)), json.dumps(config)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    server = Running(int(process.stdout.readline()), process)
    try:
        yield server
    finally:
        server.kill()
        process.stdout.close()


if __name__ == "__main__":
    asyncio.run(serve(Config(**json.loads(sys.argv[1] if len(sys.argv) > 1 else "{}"))))
