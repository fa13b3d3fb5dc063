"""`transformers serve`: an OpenAI-compatible server that nobody here wrote, on loopback."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_TIMEOUT = 120.0  # seconds for the server to start


@dataclass
class Server:
    """A running `transformers serve`, and what it has logged."""

    process: "subprocess.Popen[bytes]"
    log: Path
    url: str = ""

    def wait_for_port(self) -> None:
        """Wait until the log names the port, which the system chose."""
        end = time.monotonic() + START_TIMEOUT
        while " running on " not in (text := self.log.read_text()):
            assert self.process.poll() is None, text
            assert time.monotonic() < end, text
            time.sleep(0.1)
        self.url = text.split(" running on ")[1].split()[0] + "/v1"

    def calls(self) -> int:
        return self.log.read_text().count('"POST /v1/')

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def serving(folder: Path, model: str) -> Iterator[Server]:
    """Serve the model in `folder`/`model` under the name `model`, in float32 on the CPU."""
    command = [Path(sys.executable).with_name("transformers"), "serve", model]
    options = ["--device", "cpu", "--dtype", "float32", "--host", "127.0.0.1", "--port", "0"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *options],
            cwd=folder,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
            stdout=log,
            stderr=log,
        )
        running = Server(process, folder / "log")
        try:
            running.wait_for_port()
            yield running
        finally:
            running.stop()
