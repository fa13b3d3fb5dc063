"""The loopback server's state and completions; see loopback.py."""

import asyncio
import json
import random
import re
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler
from loopback_batches import BatchApi
from loopback_oddities import fail, is_oddity, send
from loopback_replies import digest, error

SALT = 1  # of the drawn faults: with it every kind occurs among 1,000 requests of the tests


@dataclass
class Config:
    """What the server does; everything is off unless configured."""

    latency: float = 0.0  # seconds until an answer
    faults: dict[str, float] = field(default_factory=dict)  # kind -> share of the calls
    key: str | None = None  # the only API key let in
    version: str = "-2026-01-01"  # the model version reported is the model asked plus this
    drift_after: int | None = None  # from this call on another version
    output_tokens: int | None = None  # completion tokens; None: drawn from the request
    words: int = 8  # words of an answer
    text: str | None = None  # an answer in full; {seed} in it makes answers differ
    replies: list[list[str]] = field(default_factory=list)  # pattern in what was asked, answer
    message: dict[str, Any] = field(default_factory=dict)  # goes over an answer's message
    finish_reason: str | None = None  # None: "length" where the tokens reach the limit
    requests_per_minute: int | None = None  # sent in headers and enforced
    tokens_per_minute: int | None = None
    concurrency: int | None = None  # more in flight than this: 429
    retry_after: float | None = None  # sent with a 429
    down_after: int | None = None  # from this call on only 503
    quota_after: int | None = None  # from this call on 429 insufficient_quota
    usage: bool = True
    redirect: str | None = None  # all calls are sent on to this address and their path
    redirect_status: int = 307
    redirect_from: str = "/"  # only calls to paths that begin so
    batch_api: bool = True
    batch_id: bool = True  # whether a reply to a new batch names it
    batch_seconds: float = 0.0  # until a batch is done
    batch_expires: float = 0.0  # share of a batch's items that expire
    batch_fails: float = 0.0  # share of a batch's items that fail with a 500
    batches_unanswered: int = 0  # so many are made, but the connection ends before the answer
    batch_answer_seconds: float = 0.0  # until the answer that a batch was made
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
        self.drawn: Counter[str] = Counter()  # tries whose fault was drawn, by request
        self.faults: Counter[str] = Counter()
        self.keys: set[str] = set()
        self.paths: set[str] = set()
        self.window: list[float] = []
        self.dollars = 0.0
        self.files: dict[str, str] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.cancelled: set[str] = set()

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 30, middlewares=[self.send_on])
        app.router.add_get("/_state", self.state)
        app.router.add_post("/_config", self.configure)
        app.router.add_post("/_reset", self.reset)
        for prefix in ("/v1", "/openai/deployments/{deployment}"):
            app.router.add_post(f"{prefix}/chat/completions", self.complete)
            app.router.add_post(f"{prefix}/completions", self.complete)
        if self.config.batch_api:
            BatchApi(self).add_to(app)
        return app

    @web.middleware
    async def send_on(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer with a redirect, if so configured."""
        config, path = self.config, request.path
        if config.redirect is None or path[:2] == "/_" or not path.startswith(config.redirect_from):
            return await handler(request)
        self.calls += 1
        headers = {"location": config.redirect + request.path_qs}
        return web.Response(status=config.redirect_status, headers=headers)

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
            fault = self.draw(digest(text))
            if fault and is_oddity(fault):
                self.served[digest(text)] += 1
                return send(fault, self.answer(json.loads(text), request.path))
            if fault:
                return await fail(fault, request)
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

    def draw(self, request: str) -> str | None:
        """The fault of a request's next try: the same in every run, whatever comes in between."""
        self.drawn[request] += 1
        point = random.Random(f"{SALT} {request} {self.drawn[request]}").random()
        for kind, share in self.config.faults.items():
            point -= share
            if point < 0:
                self.faults[kind] += 1
                return kind
        return None

    def answer(self, body: dict[str, Any], path: str) -> dict[str, Any]:
        """The answer: a function of the body alone, but for the model version."""
        seed = digest(json.dumps(body, sort_keys=True))
        limit = int(body.get("max_tokens") or body.get("max_completion_tokens") or 100)
        tokens = self.config.output_tokens or 1 + int(seed, 16) % limit
        reason = self.config.finish_reason or ("length" if tokens >= limit else "stop")
        words = " ".join(seed[:8] for _ in range(self.config.words))
        text = self.config.text.replace("{seed}", seed) if self.config.text else words
        asked = "\n".join(str(each["content"]) for each in body.get("messages", ()))
        for pattern, reply_text in self.config.replies:
            if re.search(pattern, asked, re.DOTALL):
                text = reply_text
                break
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
