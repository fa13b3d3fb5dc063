"""Real servers on loopback for remotes: S3, SSH, and a line to one of them that can be cut."""

import asyncio
import getpass
import logging
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE = 20.0  # seconds for a server to start
KEY = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}


@dataclass
class S3:
    """A server that speaks S3, which holds its objects in memory."""

    port: int
    client: Any  # boto3's

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def keys(self, bucket: str) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [each["Key"] for page in pages for each in page.get("Contents", [])]


@contextmanager
def s3_server(*buckets: str) -> Iterator[S3]:
    """Serve S3 with these buckets."""
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        keys = {name.lower(): value for name, value in KEY.items() if name != "AWS_REGION"}
        client = boto3.client(
            "s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1", **keys
        )
        for bucket in buckets:
            client.create_bucket(Bucket=bucket)
        yield S3(port, client)
    finally:
        server.stop()


@dataclass
class SSH:
    """An sshd that lets this user in with one key."""

    port: int
    key: Path

    def url(self, folder: Path) -> str:
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{folder}"


def sshd_path() -> str | None:
    """Where OpenSSH's server is, if it is installed."""
    return shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")


@contextmanager
def ssh_server(folder: Path) -> Iterator[SSH]:
    """Run sshd as the current user, with keys of its own in `folder`."""
    folder.mkdir(parents=True)
    folder.chmod(0o700)
    for name in ("host", "user"):
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name]
        subprocess.run(make, check=True)
    shutil.copy(folder / "user.pub", folder / "authorized")
    port = free_port()
    lines = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": folder / "host",
        "AuthorizedKeysFile": folder / "authorized",
        "PidFile": "none",
        "StrictModes": "no",  # pytest's folders are below /tmp
        "UsePAM": "no",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "PermitRootLogin": "prohibit-password",
        "Subsystem": "sftp internal-sftp",
    }
    config = folder / "config"
    config.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
    sshd = sshd_path()
    assert sshd
    with _privilege_separation(), (folder / "log").open("wb") as log:
        process = subprocess.Popen([sshd, "-D", "-e", "-f", config], stdout=log, stderr=log)
        try:
            _wait_for(port, process, folder / "log")
            yield SSH(port, folder / "user")
        finally:
            process.terminate()
            process.wait()


@contextmanager
def _privilege_separation() -> Iterator[None]:
    """Give sshd the empty folder that it wants when root starts it; init makes it elsewhere."""
    made = Path("/run/sshd")
    if os.getuid() != 0 or made.exists():
        yield
        return
    made.mkdir(mode=0o755)
    try:
        yield
    finally:
        with suppress(OSError):  # another test's sshd may be at it
            made.rmdir()


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as each:
        each.bind(("127.0.0.1", 0))
        port: int = each.getsockname()[1]
        return port


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)


class Line:
    """A TCP line to a server, which is cut after so many bytes, and can be repaired."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = free_port()
        self.bytes = 0  # that have passed, both ways
        self.cut_after: int | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    def cut(self) -> None:
        """Refuse new connections and break those that are."""
        if self._server:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        ends = {writer, far_writer}
        self._writers |= ends
        pumps = (self._pump(reader, far_writer), self._pump(far_reader, writer))
        await asyncio.gather(*pumps, return_exceptions=True)
        self._writers -= ends

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(4096):
                self.bytes += len(data)
                if self.cut_after is not None and self.bytes > self.cut_after:
                    self.cut()
                    return
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()


@dataclass
class Cuttable:
    """A `Line` that lives in a thread of its own."""

    line: Line
    loop: asyncio.AbstractEventLoop

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.line.port}"

    def cut_after(self, count: int) -> None:
        """Have it break when `count` more bytes have passed."""
        self.line.cut_after = self.line.bytes + count

    def repair(self) -> None:
        """Let it work again, at the same port."""
        self.line.cut_after = None
        if self.line._server is None:
            asyncio.run_coroutine_threadsafe(self.line.open(), self.loop).result()


@contextmanager
def line_to(port: int) -> Iterator[Cuttable]:
    """Give a line to a server on loopback."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    line = Line(port)
    asyncio.run_coroutine_threadsafe(line.open(), loop).result()
    try:
        yield Cuttable(line, loop)
    finally:
        loop.call_soon_threadsafe(line.cut)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
