"""How fast one server may be asked: learnt from what it says and from how it fails.

Calls in flight follow TCP's rule (additive increase, multiplicative decrease; Chiu and Jain 1989):
twice as many each round until the first 429, then one more a round, three quarters at each 429.
Requests and tokens a minute are buckets that fill evenly; their size is learnt from the server's
headers where it sends them.
"""

import asyncio
import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from alpacare.core.errors import BadInput
from alpacare.llm.endpoints import Endpoint

_FIRST_WINDOW = 32
_DECREASE = 0.75
_BURST = 0.05  # share of a minute's allowance that may go at once
_FAILURES = 5  # in a row at least, before a server is given up
_FIRST_PATIENCE = 10.0  # seconds for a server that cannot be reached from the start


class Stopping(Exception):
    """The run is ending; what was not sent is not sent."""


class Bucket:
    """A minute's allowance, filling evenly. It may go into debt, so no call is too large for it."""

    def __init__(self, a_minute: int | None) -> None:
        self.a_minute = a_minute
        self._ours = a_minute or math.inf  # the user's own limit, which no header raises
        self._level = self._most = max(1.0, (a_minute or 0) * _BURST)
        self._moment = time.monotonic()

    def learn(self, a_minute: int, remaining: float) -> None:
        """Take over what the server said."""
        a_minute = int(min(a_minute, self._ours))
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

    def take(self, amount: float) -> None:
        """Count a call."""
        if self.a_minute is not None:
            self._level -= amount


class Limiter:
    """The gate before one server: `admit` a call, `release` it, and say how it went."""

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
        self._turn = asyncio.Lock()
        self._moved = asyncio.Event()

    async def admit(self, tokens: float) -> float:
        """Wait until a call of about so many tokens may go; give the moment it went.

        Raises:
            Stopping: the gate was closed.
        """
        async with self._turn:  # first come, first served
            while wait := self._wait():
                self._moved.clear()
                if wait < math.inf:
                    asyncio.get_running_loop().call_later(wait, self._moved.set)
                await self._moved.wait()
            if self._closed:
                raise Stopping
            self.in_flight += 1
            self._requests.take(1)
            self._tokens.take(tokens)
        return time.monotonic()

    def release(self) -> None:
        """End a call."""
        self.in_flight -= 1
        self._moved.set()

    def close(self) -> None:
        """Let nobody through any more."""
        self._closed = True
        self._moved.set()

    def succeeded(self, headers: Mapping[str, str]) -> None:
        """Count an answer: a little more may be in flight."""
        self.answers += 1
        self._failing_since = None
        self._failures = 0
        self._reached = True
        step = 1.0 if self._doubling else 1.0 / self.window
        self.window = min(self.window + step, self._endpoint.in_flight)
        self.learn(headers)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Read the limits that OpenAI and its kin send with every reply."""
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
            BadInput: the server wants a longer pause than the user's patience.
        """
        seconds = _seconds(headers.get("retry-after"))
        if seconds > self._endpoint.patience:
            raise BadInput(
                f"{self._endpoint.address} asks to wait {seconds:.0f} s, more than its "
                f"endpoint's patience of {self._endpoint.patience:.0f} s in params.yaml"
            )
        self._not_before = max(self._not_before, time.monotonic() + seconds)

    def failed(self, what: str, reached: bool = True) -> None:
        """Count a failure; open the circuit when nothing else has come for too long.

        Raises:
            BadInput: no answer within the endpoint's patience.
        """
        now = time.monotonic()
        self._reached |= reached
        if self._failing_since is None:
            self._failing_since = now
        patience = self._endpoint.patience
        if not self._reached:
            patience = min(patience, _FIRST_PATIENCE)
        self._failures += 1
        # one slow call may fail for longer than anybody's patience: that alone says nothing
        if self._failures >= _FAILURES and now - self._failing_since > patience:
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
        try:
            seconds = parsedate_to_datetime(retry_after).timestamp() - time.time()
        except ValueError:
            seconds = None
    return max(seconds or 0.0, 0.0)
