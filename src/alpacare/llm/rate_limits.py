"""Rate limits of one server, learnt from its headers and its errors.

Calls in flight follow TCP's rule (additive increase, multiplicative decrease; Chiu and Jain 1989):
twice as many each round until the first 429, then one more a round, three quarters at each 429.
Requests and tokens a minute are token buckets; their size is learnt from the server's headers where
it sends them.
"""

import asyncio
import math
import time
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime

from alpacare.core.errors import BadInput
from alpacare.llm.endpoints import Endpoint

_FIRST_WINDOW = 32
_DECREASE = 0.75
_BURST = 0.05  # share of a minute's allowance that may go at once
_FAILURES = 5  # in a row at least, before the run stops
_FIRST_IDLE_TIMEOUT = 10.0  # seconds for a server that was never reached


class Stopping(Exception):
    """The run is ending; nothing more is sent."""


class Bucket:
    """A token bucket of a minute's allowance. It may go below zero, so no call is too large."""

    def __init__(self, a_minute: int | None) -> None:
        self.a_minute = a_minute
        self._own_limit = a_minute or math.inf  # the user's, which no header raises
        self._level = self._most = max(1.0, (a_minute or 0) * _BURST)
        self._moment = time.monotonic()

    def learn(self, a_minute: int, remaining: float) -> None:
        """Use the limit and the remaining amount that the server sent."""
        a_minute = int(min(a_minute, self._own_limit))
        if a_minute != self.a_minute:
            self.a_minute = a_minute
            self._level = self._most = max(1.0, a_minute * _BURST)
        self._level = min(self._level, remaining)

    def wait(self) -> float:
        """Seconds until a call may go."""
        if self.a_minute is None:
            return 0.0
        now = time.monotonic()
        rate = self.a_minute / 60
        self._level = min(self._most, self._level + rate * (now - self._moment))
        self._moment = now
        return 0.0 if self._level > 0 else (1e-3 - self._level) / rate

    def use(self, amount: float) -> None:
        """Count a call."""
        self._level -= amount


class Limiter:
    """Limits the calls to one server: `admit` a call, report its outcome, `release` it."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.in_flight = 0
        self.answers = 0
        self.window = float(min(_FIRST_WINDOW, endpoint.in_flight))
        self._endpoint = endpoint
        self._requests = Bucket(endpoint.requests_per_minute)
        self._tokens = Bucket(endpoint.tokens_per_minute)
        self._doubling = True
        self._not_before = 0.0  # Retry-After, on the monotonic clock
        self._decreased = 0.0  # when the window last shrank
        self._failing_since: float | None = None
        self._failures = 0  # since the last answer
        self._reached = False
        self._closed = False
        self._queue = asyncio.Lock()
        self._changed = asyncio.Event()

    async def admit(self, tokens: float) -> float:
        """Wait until a call of about `tokens` tokens may be sent; return the time.

        Raises:
            Stopping: the run is ending.
        """
        async with self._queue:  # first come, first served
            while wait := self._wait():
                self._changed.clear()
                if wait < math.inf:
                    asyncio.get_running_loop().call_later(wait, self._changed.set)
                await self._changed.wait()
            if self._closed:
                raise Stopping
            self.in_flight += 1
            self._requests.use(1)
            self._tokens.use(tokens)
        return time.monotonic()

    def release(self) -> None:
        """End a call."""
        self.in_flight -= 1
        self._changed.set()

    def close(self) -> None:
        """Admit no more calls."""
        self._closed = True
        self._changed.set()

    def succeeded(self, headers: Mapping[str, str]) -> None:
        """Count an answer: more calls may be in flight."""
        self.answers += 1
        self._failing_since = None
        self._failures = 0
        self._reached = True
        step = 1.0 if self._doubling else 1.0 / self.window
        self.window = min(self.window + step, self._endpoint.in_flight)
        self.learn(headers)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Read the limits that OpenAI and similar servers send with every reply."""
        for kind, bucket in (("requests", self._requests), ("tokens", self._tokens)):
            limit = _number(headers.get(f"x-ratelimit-limit-{kind}"))
            if limit is not None and limit >= 1:
                remaining = _number(headers.get(f"x-ratelimit-remaining-{kind}"))
                bucket.learn(int(limit), math.inf if remaining is None else remaining)

    def throttled(self, sent: float, headers: Mapping[str, str]) -> None:
        """Count a 429. Of calls sent before the window shrank, none shrinks it again."""
        self.learn(headers)
        if sent >= self._decreased:
            self._doubling = False
            self._decreased = time.monotonic()
            self.window = max(1.0, min(self.window, self.in_flight) * _DECREASE)
        self.pause(headers)

    def pause(self, headers: Mapping[str, str]) -> None:
        """Honour Retry-After.

        Raises:
            BadInput: the server wants a longer pause than the endpoint's idle_timeout.
        """
        seconds = _seconds(headers.get("retry-after"))
        if seconds > self._endpoint.idle_timeout:
            raise BadInput(
                f"{self._endpoint.address} asks to wait {seconds:.0f} s, more than the endpoint's "
                f"idle_timeout of {self._endpoint.idle_timeout:.0f} s in params.yaml"
            )
        self._not_before = max(self._not_before, time.monotonic() + seconds)

    def failed(self, what: str, reached: bool = True) -> None:
        """Count a failure; stop the run when there was nothing else for too long.

        Raises:
            BadInput: no answer within the endpoint's idle_timeout.
        """
        now = time.monotonic()
        self._reached |= reached
        self._failing_since = self._failing_since or now
        most = self._endpoint.idle_timeout
        timeout = most if self._reached else min(most, _FIRST_IDLE_TIMEOUT)
        self._failures += 1
        # a single slow call may fail after a longer time: that is not enough
        if self._failures >= _FAILURES and now - self._failing_since > timeout:
            seconds = f"{now - self._failing_since:.0f} s"
            raise BadInput(f"{self._endpoint.address} gives no answer for {seconds}: {what}")

    def _wait(self) -> float:
        if self._closed:
            return 0.0
        if self.in_flight >= int(self.window):
            return math.inf  # until one is released
        pause = self._not_before - time.monotonic()
        return max(pause, self._requests.wait(), self._tokens.wait(), 0.0)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "nan")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _seconds(retry_after: str | None) -> float:
    """Read Retry-After, seconds or a date (RFC 9110, 10.2.3); 0 leaves the pause to the backoff."""
    seconds = _number(retry_after)
    if seconds is None and retry_after:
        with suppress(ValueError):
            seconds = parsedate_to_datetime(retry_after).timestamp() - time.time()
    return max(seconds or 0.0, 0.0)
