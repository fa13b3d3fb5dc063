"""A server that speaks the OpenAI protocol on loopback: completions, files, batches, faults.

    python tests/loopback.py '{"latency": 0.2, "faults": {"http_500": 0.1}}'

prints its port and serves until it is killed. Answers depend on the request alone, so two runs can
be compared byte for byte; faults are drawn in order of arrival. `GET /_state` tells what it saw.
"""

import asyncio
import hashlib
import json
import random
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

RESETS = ("reset", "hang")


@dataclass
class Config:
    """What the server does; everything off unless told."""

    latency: float = 0.0  # seconds until an answer
    faults: dict[str, float] = field(default_factory=dict)  # kind -> share of the calls
    key: str | None = None  # the only API key let in
    version: str = "-2026-01-01"  # the model version reported is the model asked plus this
    drift_after: int | None = None  # from this call on another version
    output_tokens: int | None = None  # completion tokens; None: drawn from the request
    words: int = 8  # words of an answer
    text: str | None = None  # an answer in full; {seed} in it tells answers apart
    message: dict[str, Any] = field(default_factory=dict)  # goes over an answer's message
    finish_reason: str | None = None  # None: "length" where the tokens reach the limit
    requests_per_minute: int | None = None  # told in headers and enforced
    tokens_per_minute: int | None = None
    concurrency: int | None = None  # more in flight than this: 429
    retry_after: float | None = None  # told with a 429
    down_after: int | None = None  # from this call on only 503
    quota_after: int | None = None  # from this call on 429 insufficient_quota
    usage: bool = True
    batch_api: bool = True
    batch_seconds: float = 0.0  # until a batch is done
    batch_expires: float = 0.0  # share of a batch's items that expire
    batch_fails: float = 0.0  # share of a batch's items that fail with a 500
    batches_unanswered: int = 0  # so many are made, but the connection ends before it is told
    batch_answer_seconds: float = 0.0  # until it is told that a batch was made
    upload_seconds: float = 0.0  # until a file is taken
    cancel_seconds: float = 0.0  # until a cancelled batch has ended


class Loopback:
    """The server's state and handlers."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.random = random.Random(0)
        self.calls = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self.handler_seconds = 0.0  # in `complete`, summed over the calls that it let in
        self.served: Counter[str] = Counter()  # answers sent whole, by request
        self.arrived: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.keys: set[str] = set()
        self.paths: set[str] = set()
        self.window: list[float] = []
        self.dollars = 0.0
        self.files: dict[str, str] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.cancelled: set[str] = set()

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_get("/_state", self.state)
        app.router.add_post("/_config", self.configure)
        app.router.add_post("/_reset", self.reset)
        for prefix in ("/v1", "/openai/deployments/{deployment}"):
            app.router.add_post(f"{prefix}/chat/completions", self.complete)
            app.router.add_post(f"{prefix}/completions", self.complete)
        if not self.config.batch_api:
            return app
        app.router.add_post("/v1/files", self.upload)
        app.router.add_get("/v1/files/{id}/content", self.content)
        app.router.add_post("/v1/batches", self.create_batch)
        app.router.add_get("/v1/batches", self.list_batches)
        app.router.add_get("/v1/batches/{id}", self.get_batch)
        app.router.add_post("/v1/batches/{id}/cancel", self.cancel_batch)
        return app

    async def state(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "calls": self.calls,
                "most_in_flight": self.most_in_flight,
                "handler_seconds": self.handler_seconds,
                "served": self.served,
                "arrived": self.arrived,
                "faults": self.faults,
                "keys": sorted(self.keys),
                "paths": sorted(self.paths),
                "tokens": self.dollars,
                "batches": len(self.batches),
                "batch_items": sum(batch["items"] for batch in self.batches.values()),
                "files": len(self.files),
            }
        )

    async def configure(self, request: web.Request) -> web.Response:
        self.config = Config(**{**asdict(self.config), **await request.json()})
        return web.json_response({})

    async def reset(self, request: web.Request) -> web.Response:
        """Be as good as new, if no call is under way."""
        Loopback.__init__(self, Config(**await request.json()))
        return web.json_response({})

    # ---- completions -----------------------------------------------------------------------------

    async def complete(self, request: web.Request) -> web.StreamResponse:
        start = time.perf_counter()
        text = await request.text()
        self.calls += 1
        self.arrived[digest(text)] += 1
        self.paths.add(request.path_qs)
        self.keys |= {request.headers.get("api-key", ""), request.headers.get("authorization", "")}
        if refusal := self.refuse(request):
            return refusal
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            fault = self.draw()
            if fault:
                return await self.fail(fault, request)
            await asyncio.sleep(self.config.latency)
            reply = self.answer(json.loads(text), request.path)
            self.served[digest(text)] += 1
            return web.json_response(reply, headers=self.limits())
        finally:
            self.in_flight -= 1
            self.handler_seconds += time.perf_counter() - start

    def refuse(self, request: web.Request) -> web.Response | None:
        """A 401, 429 or 503 that this call deserves."""
        config = self.config
        given = request.headers.get("api-key") or request.headers.get("authorization", "")
        if config.key and given.removeprefix("Bearer ") != config.key:
            return error(401, f"Incorrect API key provided: {given}", "invalid_api_key")
        if config.quota_after is not None and self.calls > config.quota_after:
            return error(429, "You exceeded your current quota.", "insufficient_quota")
        if config.down_after is not None and self.calls > config.down_after:
            return error(503, "The server is down for maintenance.", None)
        if self.too_many():
            self.faults["limit"] += 1
            wait = {} if config.retry_after is None else {"retry-after": str(config.retry_after)}
            return error(429, "Rate limit reached.", "rate_limit_exceeded", wait | self.limits())
        return None

    def too_many(self) -> bool:
        config = self.config
        if config.concurrency is not None and self.in_flight >= config.concurrency:
            return True
        if config.requests_per_minute is None:
            return False
        # enforced over a second, as vendors do
        now = time.monotonic()
        self.window = [moment for moment in self.window if moment > now - 1]
        if len(self.window) + 1 > max(1, config.requests_per_minute / 60):
            return True
        self.window.append(now)
        return False

    def limits(self) -> dict[str, str]:
        headers = {}
        for name in ("requests", "tokens"):
            limit = getattr(self.config, f"{name}_per_minute")
            if limit is not None:
                headers[f"x-ratelimit-limit-{name}"] = str(limit)
                headers[f"x-ratelimit-remaining-{name}"] = str(limit)
                headers[f"x-ratelimit-reset-{name}"] = "1s"
        return headers

    def draw(self) -> str | None:
        point = self.random.random()
        for kind, share in self.config.faults.items():
            point -= share
            if point < 0:
                self.faults[kind] += 1
                return kind
        return None

    async def fail(self, kind: str, request: web.Request) -> web.StreamResponse:
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
        bodies = {
            "truncated_json": '{"id": "x", "object": "chat.completion", "model": "m", "choi',
            "empty_choices": '{"id": "x", "object": "text", "model": "m", "choices": []}',
            "aborted": '{"model": "m", "choices": [{"finish_reason": "abort", "text": "Tak"}]}',
            "error_in_200": '{"error": {"message": "upstream failed", "type": "server_error"}}',
        }
        if kind in bodies:
            return web.Response(text=bodies[kind], content_type="application/json")
        if kind == "wrong_type":
            return web.Response(text="<html>gateway</html>", content_type="text/html")
        if kind == "http_429_after":
            return error(429, "Rate limit reached.", "rate_limit_exceeded", {"retry-after": "0.05"})
        if kind == "content_filter":
            return error(400, "The prompt was filtered.", "content_filter")
        status = int(kind.removeprefix("http_"))
        return error(status, f"A fault of kind {status}.", None)

    def answer(self, body: dict[str, Any], path: str) -> dict[str, Any]:
        """The answer: a function of the body alone, but for the model version."""
        seed = digest(json.dumps(body, sort_keys=True))
        limit = int(body.get("max_tokens") or body.get("max_completion_tokens") or 100)
        tokens = self.config.output_tokens or 1 + int(seed, 16) % limit
        reason = self.config.finish_reason or ("length" if tokens >= limit else "stop")
        words = " ".join(seed[:8] for _ in range(self.config.words))
        text = self.config.text.replace("{seed}", seed) if self.config.text else words
        chat = "chat" in path
        message = {"role": "assistant", "content": text, **self.config.message}
        choice = {"message": message} if chat else {"text": text}
        drifted = self.config.drift_after is not None and self.calls > self.config.drift_after
        prompt = max(1, len(json.dumps(body.get("messages") or body.get("prompt"))) // 4)
        self.dollars += prompt + min(tokens, limit)
        reply = {
            "id": f"cmpl-{seed[:12]}",
            "object": "chat.completion" if chat else "text_completion",
            "created": 1767225600,
            "model": body["model"] + ("-2026-02-02" if drifted else self.config.version),
            "choices": [{"index": 0, "finish_reason": reason, **choice}],
            "system_fingerprint": "fp_2" if drifted else "fp_1",
        }
        if self.config.usage:
            out = min(tokens, limit)
            reply["usage"] = {
                "prompt_tokens": prompt,
                "completion_tokens": out,
                "total_tokens": prompt + out,
            }
        return reply

    # ---- files and batches -----------------------------------------------------------------------

    async def upload(self, request: web.Request) -> web.Response:
        await asyncio.sleep(self.config.upload_seconds)
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        return web.json_response(self.keep(file.file.read().decode()))

    def keep(self, text: str) -> dict[str, Any]:
        name = f"file-{len(self.files) + 1}"
        self.files[name] = text
        return {
            "id": name,
            "object": "file",
            "bytes": len(text),
            "created_at": 1767225600,
            "filename": "batch.jsonl",
            "purpose": "batch",
            "status": "processed",
        }

    async def content(self, request: web.Request) -> web.Response:
        return web.Response(text=self.files[request.match_info["id"]])

    async def create_batch(self, request: web.Request) -> web.Response:
        body = await request.json()
        name = f"batch_{len(self.batches) + 1}"
        lines = self.files[body["input_file_id"]].splitlines()
        self.batches[name] = {
            "id": name,
            "object": "batch",
            "endpoint": body["endpoint"],
            "input_file_id": body["input_file_id"],
            "completion_window": body["completion_window"],
            "created_at": 1767225600,
            "status": "in_progress",
            "metadata": body.get("metadata"),
            "request_counts": {"total": len(lines), "completed": 0, "failed": 0},
            "items": len(lines),
            "due": time.monotonic() + self.config.batch_seconds,
        }
        await asyncio.sleep(self.config.batch_answer_seconds)
        if len(self.batches) <= self.config.batches_unanswered:
            assert request.transport
            request.transport.abort()
        return web.json_response(self.show(name))

    async def list_batches(self, _: web.Request) -> web.Response:
        rows = [self.show(name) for name in self.batches]
        return web.json_response({"object": "list", "data": rows, "has_more": False})

    async def get_batch(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        if name not in self.batches:
            return error(404, f"No batch found with id '{name}'.", None)
        batch = self.batches[name]
        if batch["status"] in ("in_progress", "cancelling") and time.monotonic() >= batch["due"]:
            self.finish(batch)
        return web.json_response(self.show(name))

    async def cancel_batch(self, request: web.Request) -> web.Response:
        batch = self.batches[request.match_info["id"]]
        if batch["status"] != "in_progress":
            return error(409, f"Cannot cancel a batch with status '{batch['status']}'.", None)
        batch |= {"status": "cancelling", "due": time.monotonic() + self.config.cancel_seconds}
        return web.json_response(self.show(batch["id"]))

    def finish(self, batch: dict[str, Any]) -> None:
        """Answer a batch's items; of a cancelled one the first half was answered already."""
        done, failed = [], []
        cancelled = batch["status"] == "cancelling"
        lines = self.files[batch["input_file_id"]].splitlines()
        for line in lines[: len(lines) // 2] if cancelled else lines:
            item = json.loads(line)
            row: dict[str, Any] = {"id": "x", "custom_id": item["custom_id"], "error": None}
            point = self.random.random()
            if point < self.config.batch_expires:
                row |= {"response": None, "error": {"code": "batch_expired", "message": "late"}}
                failed.append(row)
            elif point < self.config.batch_expires + self.config.batch_fails:
                row["response"] = {"status_code": 500, "body": {"error": {"message": "oops"}}}
                failed.append(row)
            else:
                body = self.answer(item["body"], batch["endpoint"])
                self.served[digest(json.dumps(item["body"]))] += 1
                row["response"] = {"status_code": 200, "request_id": "r", "body": body}
                done.append(row)
        self.random.shuffle(done)  # the API promises no order
        ended = "expired" if self.config.batch_expires else "completed"
        batch["status"] = "cancelled" if cancelled else ended
        for field_name, rows in (("output_file_id", done), ("error_file_id", failed)):
            if rows:
                batch[field_name] = self.keep("".join(json.dumps(row) + "\n" for row in rows))["id"]

    def show(self, name: str) -> dict[str, Any]:
        return {k: v for k, v in self.batches[name].items() if k not in ("items", "due")}


def digest(text: str) -> str:
    """A request's name in the server's books: the same for any spelling of the same JSON."""
    return hashlib.sha256(json.dumps(json.loads(text), sort_keys=True).encode()).hexdigest()[:16]


def error(
    status: int, message: str, code: str | None, headers: dict[str, str] | None = None
) -> web.Response:
    body = {"error": {"message": message, "type": "x", "param": None, "code": code}}
    return web.json_response(body, status=status, headers=headers)


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
