"""Rate limits: as fast as the server allows, learnt from its headers and errors."""

import asyncio
import time

import pytest
from asking import ask_elsewhere, questions, wait_until
from loopback import Running, running

from alpacare.core.errors import BadInput
from alpacare.llm.client import ask
from alpacare.llm.endpoints import Endpoint
from alpacare.llm.rate_limits import Bucket, Limiter

SERVER = "http://127.0.0.1:1/v1"  # never asked


@pytest.fixture(autouse=True)
def key_and_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("BUDGET", "10")


# ---- calls in flight -----------------------------------------------------------------------------


def test_calls_in_flight_grow_to_what_the_user_allows(server: Running) -> None:
    server.configure(latency=0.3)
    ask(questions(Endpoint(base_url=server.url, in_flight=100), 300))
    assert 60 < server.state()["most_in_flight"] <= 100


def test_there_are_never_more_in_flight_than_the_user_allows(server: Running) -> None:
    server.configure(latency=0.02)
    ask(questions(Endpoint(base_url=server.url, in_flight=3), 40))
    assert server.state()["most_in_flight"] == 3


def test_a_lower_limit_of_the_server_is_found_with_few_429s(server: Running) -> None:
    server.configure(latency=0.05, concurrency=20)
    assert len(ask(questions(Endpoint(base_url=server.url, in_flight=100), 600))) == 600
    state = server.state()
    assert state["faults"]["limit"] < 0.1 * state["calls"]
    assert state["most_in_flight"] == 20, "and the limit is used"


def test_one_burst_of_429s_shrinks_the_window_once() -> None:
    async def burst() -> list[float]:
        limiter = Limiter(Endpoint(base_url=SERVER, in_flight=40))
        windows = [limiter.window]
        for _ in range(2):
            sent = [await limiter.admit(1) for _ in range(int(limiter.window))]
            for moment in sent:
                limiter.throttled(moment, {})
                limiter.release()
            windows.append(limiter.window)
        return windows

    assert asyncio.run(burst()) == [32, 24, 18]


def test_the_window_doubles_a_round_at_first_and_grows_slowly_after_a_429() -> None:
    async def rounds() -> list[float]:
        limiter = Limiter(Endpoint(base_url=SERVER, in_flight=70))
        windows = []
        for throttled in (False, False, True, False):
            sent = [await limiter.admit(1) for _ in range(int(limiter.window))]
            if throttled:
                limiter.throttled(sent[0], {})
            for _ in sent:
                if not throttled:
                    limiter.succeeded({})
                limiter.release()
            windows.append(round(limiter.window))
        return windows

    assert asyncio.run(rounds()) == [64, 70, 52, 53]


# ---- Retry-After ---------------------------------------------------------------------------------


def test_retry_after_holds_up_every_call_to_the_server(server: Running) -> None:
    server.configure(concurrency=0, retry_after=3)
    asked = questions(Endpoint(base_url=server.url, in_flight=10), 50)
    process = ask_elsewhere(asked)
    wait_until(lambda: server.state()["calls"] > 0)
    time.sleep(0.4)  # what was sent at the same moment arrives
    calls = server.state()["calls"]
    server.configure(concurrency=None)
    time.sleep(0.7)
    assert server.state()["calls"] == calls <= 10
    process.join(60)
    assert process.exitcode == 0
    assert len(server.state()["served"]) == 50


def test_a_wait_beyond_the_idle_timeout_ends_the_run(server: Running) -> None:
    server.configure(concurrency=0, retry_after=3600)
    with pytest.raises(BadInput, match=r"asks to wait 3600 s, more than .* idle_timeout of 120 s"):
        ask(questions(Endpoint(base_url=server.url), 5))
    assert server.state()["calls"] <= 5


# ---- requests and tokens a minute ----------------------------------------------------------------


def test_the_limit_of_requests_a_minute_holds() -> None:
    with running() as server:
        endpoint = Endpoint(base_url=server.url, requests_per_minute=1200)
        process = ask_elsewhere(questions(endpoint, 500))
        wait_until(lambda: server.state()["calls"] >= 60)  # the burst: 5 % of a minute's
        start, calls = time.monotonic(), server.state()["calls"]
        time.sleep(2)
        rate = (server.state()["calls"] - calls) / (time.monotonic() - start)
        process.terminate()
        process.join(60)
    assert 12 < rate < 30, "20 a second"


def test_a_limit_that_the_server_sends_holds() -> None:
    with running(tokens_per_minute=120_000) as server:  # sent, but not enforced
        start = time.monotonic()
        ask(questions(Endpoint(base_url=server.url, in_flight=5), 90))
        seconds = time.monotonic() - start
    # 9,300 tokens at 2,000 a second, but for a burst of 6,000 at most
    assert seconds > 1


def test_a_call_larger_than_the_bucket_goes_and_the_next_one_waits(server: Running) -> None:
    endpoint = Endpoint(base_url=server.url, tokens_per_minute=60_000)  # bursts of 3,000
    start = time.monotonic()
    assert len(ask(questions(endpoint, 2, max_tokens=4000))) == 2
    assert 0.8 < time.monotonic() - start < 10


def test_a_bucket_fills_evenly_and_no_further_than_its_burst() -> None:
    bucket = Bucket(60_000)  # 1,000 a second, 3,000 at once
    assert bucket.wait() == 0
    bucket.use(3500)
    assert 0.4 < bucket.wait() <= 0.501
    time.sleep(0.2)
    assert 0.1 < bucket.wait() <= 0.301
    bucket.learn(60_000, remaining=1e9)
    assert bucket.wait() > 0.1, "what was spent is not given back"


def test_what_the_server_has_left_is_not_overdrawn() -> None:
    bucket = Bucket(600)
    bucket.learn(600, remaining=2)
    assert bucket.wait() == 0
    bucket.use(3)
    assert bucket.wait() > 0


def test_a_limit_learnt_late_does_not_count_earlier_calls() -> None:
    """Some servers send their limits only with a 429, perhaps after an hour."""
    bucket = Bucket(None)
    for _ in range(10_000):
        bucket.use(1)
    bucket.learn(600, remaining=600)
    assert bucket.wait() < 60


@pytest.mark.parametrize("limit", ["-1", "0", "0.5", "nan", "inf", "lots", ""])
def test_a_limit_that_is_no_limit_is_ignored(limit: str) -> None:
    async def admit() -> None:
        limiter = Limiter(Endpoint(base_url=SERVER))
        for _ in range(3):
            limiter.learn({"x-ratelimit-limit-requests": limit})
            await limiter.admit(1)

    asyncio.run(asyncio.wait_for(admit(), 5))
