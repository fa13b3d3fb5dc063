"""Processes on one ledger: two at once, and some that are stopped."""

import signal
import time
from pathlib import Path

import pytest
from asking import ask_elsewhere, billed_twice, questions, spending, stored, wait_until
from loopback import Running, running
from staging import OUTS, start_stage

from alpacare.llm.client import ask
from alpacare.llm.endpoints import Endpoint

LATENCY = 0.5  # seconds that each call takes where a run is stopped
SIGNALS = [signal.SIGINT, signal.SIGTERM]


@pytest.fixture(autouse=True)
def key_and_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("BUDGET", "10")


def test_two_processes_at_once_pay_for_no_call_twice(server: Running) -> None:
    server.configure(latency=0.05, faults={"http_500": 0.1})
    asked = questions(Endpoint(base_url=server.url, in_flight=20), 200)
    # from both ends, so that each has much to do and they meet in the middle
    orders = (asked, asked[::-1])
    both = [ask_elsewhere(order, Path(f"log{n}.txt")) for n, order in enumerate(orders)]
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    assert list(server.state()["served"].values()) == [1] * 200
    assert len(ask(asked)) == stored() == 200
    assert spending().in_flight == 0
    assert len(Path(".ledger/runs.jsonl").read_text().splitlines()) == 2, "both asked some"


def test_a_process_that_waits_takes_over_when_the_other_one_is_killed() -> None:
    with running(latency=3600) as server:
        asked = questions(Endpoint(base_url=server.url), 5)
        first = ask_elsewhere(asked)
        wait_until(lambda: server.state()["calls"] == 5)
        second = ask_elsewhere(asked)
        server.configure(latency=0)
        time.sleep(0.3)  # the second has found that all are locked, or comes to them later
        assert server.state()["calls"] == 5
        first.kill()
        second.join(60)
        assert second.exitcode == 0
        assert list(server.state()["served"].values()) == [1] * 5
        assert (spending().lost, spending().in_flight) == (5, 0), (
            "the first one's may have been billed"
        )


def test_a_killed_process_does_not_hold_its_reservations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("prices.yaml").write_text("ours: {input: 1, output: 1}\n")
    monkeypatch.setenv("BUDGET", "0.0009")  # four calls of 100 tokens out and some in
    with running(latency=3600) as server:
        asked = questions(Endpoint(base_url=server.url), 5, model="ours")
        first = ask_elsewhere(asked[:4])
        wait_until(lambda: server.state()["calls"] == 4)
        second = ask_elsewhere(asked[4:], Path("second.txt"))
        time.sleep(0.5)  # it waits for cheap answers to the first one's calls, or comes to it later
        first.kill()
        second.join(10)
        second.kill()
        assert second.exitcode == 1
        assert "does not allow the next call" in Path("second.txt").read_text()
    assert (spending().lost, spending().in_flight) == (4, 0)


def interrupt(server: Running, number: signal.Signals) -> tuple[int, str, float]:
    """Stop a stage in the middle; give status, its output, and how long it took to end."""
    stage = start_stage(100, base_url=server.url, in_flight=20)
    wait_until(lambda: len(server.state()["served"]) >= 20)
    start = time.monotonic()
    stage.send_signal(number)
    _, output = stage.communicate(timeout=60)
    return stage.returncode, output, time.monotonic() - start


@pytest.mark.parametrize("number", SIGNALS)
def test_a_stage_that_is_stopped_ends_soon_and_keeps_what_it_paid_for(
    server: Running, number: signal.Signals
) -> None:
    server.configure(latency=LATENCY)
    status, output, seconds = interrupt(server, number)
    assert status == 130
    assert seconds < 2 + LATENCY
    assert "Traceback" not in output
    assert 20 <= stored() == len(server.state()["served"]) < 100
    assert f"{stored()} of 100 answers are in the ledger" in output
    assert not any(Path(name).exists() for name in OUTS)
    server.configure(latency=0)
    again = start_stage(100, base_url=server.url)
    assert again.wait(60) == 0, again.communicate()
    assert (stored(), billed_twice(server)) == (100, 0)
    assert spending().lost == 0


def test_a_second_signal_abandons_the_calls_in_flight() -> None:
    with running(latency=3600) as server:
        stage = start_stage(30, base_url=server.url)
        wait_until(lambda: server.state()["calls"] == 30)
        stage.send_signal(signal.SIGINT)
        assert stage.stderr
        assert "waiting for 30 calls in flight" in stage.stderr.readline()
        stage.send_signal(signal.SIGINT)
        _, output = stage.communicate(timeout=30)
        assert stage.returncode == 130
        assert "Traceback" not in output
        server.configure(latency=0)
        ask(questions(Endpoint(base_url=server.url), 1))
        assert spending().lost == 30, "they may have been billed"


@pytest.mark.parametrize("number", SIGNALS)
def test_signals_do_afterwards_what_they_did_before(number: signal.Signals) -> None:
    """A stage goes on after its answers have come."""
    before = signal.signal(number, lambda *_: None)
    ours = signal.getsignal(number)
    try:
        with running() as server:
            ask(questions(Endpoint(base_url=server.url), 2))
        assert signal.getsignal(number) is ours
    finally:
        signal.signal(number, before)
