"""What was paid for survives `kill -9` and a full disk."""

import random
import re
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from asking import (
    ask_elsewhere,
    billed_twice,
    contents,
    entry,
    questions,
    spending,
    stored,
    wait_until,
)
from loopback import Running, running

from alpacare.core.errors import BadInput
from alpacare.llm.client import ask
from alpacare.llm.endpoints import Endpoint
from alpacare.llm.ledger import Ledger, default_path
from alpacare.llm.request import Request


@pytest.fixture(autouse=True)
def key_and_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("BUDGET", "10")


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A disk of 8 MiB for the ledger."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if (mount := subprocess.run(command, capture_output=True, text=True)).returncode:
        pytest.skip(f"a small disk needs the right to mount one: {mount.stderr.strip()}")
    monkeypatch.setenv("DVC_ROOT", str(folder))
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


# ---- kill -9 -------------------------------------------------------------------------------------


def test_a_run_killed_40_times_gives_the_answers_of_an_undisturbed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with running() as server, monkeypatch.context() as patch:
        patch.setenv("DVC_ROOT", str(tmp_path / "undisturbed"))
        undisturbed = ask(same_questions(server, 2000))
    with running(latency=0.05) as server:
        requests = same_questions(server, 2000)
        kill_often(requests, 40)
        seen = server.state()["served"]
        server.configure(latency=0)
        answers = ask(requests)
        again = billed_twice(server)
    assert contents(answers) == contents(undisturbed)
    assert stored() == 2000
    dollars = spending()
    assert again <= dollars.lost
    assert (dollars.in_flight, dollars.spent) == (
        0,
        pytest.approx(sum(a.price or 0 for a in answers)),
    )
    with capsys.disabled():
        print(
            f"\n{len(seen)} of 2000 answered by the last of 40 kills; calls paid twice: {again}, ",
            end="",
        )
        print(f"reported as lost in flight: {dollars.lost}")


def same_questions(server: Running, count: int) -> list[Request]:
    """Questions whose keys are the same for every server."""
    return questions(Endpoint(base_url=server.url, identity="any", in_flight=5), count)


def kill_often(requests: list[Request], times: int) -> None:
    """At 5 in flight and 0.05 s a call, 2,000 calls take longer than all these runs together."""
    moments = random.Random(0)
    for _ in range(times):
        process = ask_elsewhere(requests)
        process.join(moments.uniform(0.05, 0.3))
        process.kill()
        process.join()
        assert process.exitcode == -9  # not ended by itself before


# ---- full disk -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("words", "count"), [(2_000, 600), (20_000, 60)])
def test_a_disk_that_fills_up_loses_no_answer(disk: Path, words: int, count: int) -> None:
    with running(latency=0.05, words=words) as server:
        endpoint = Endpoint(base_url=server.url, in_flight=50)
        requests = questions(endpoint, count, max_tokens=words)
        with pytest.raises(BadInput, match=r"the disk is (almost )?full"):
            ask(requests)
        assert 0 < stored() == len(server.state()["served"]) < count
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        assert len(ask(requests)) == count
        assert (stored(), billed_twice(server)) == (count, 0)


def test_a_disk_that_something_else_fills_costs_no_more_than_was_in_flight(disk: Path) -> None:
    with running(latency=1.0, words=2_000) as server:
        requests = questions(Endpoint(base_url=server.url, in_flight=50), 100, max_tokens=2_000)
        process = ask_elsewhere(requests)
        wait_until(lambda: server.state()["calls"] > 0)
        fill(disk)
        process.join(60)
        log = Path("log.txt").read_text()
        assert re.search(r"the disk is (almost )?full.*free some space", log)
        assert "Traceback" not in log
        (disk / "other").unlink()
        stored()
        server.configure(latency=0)
        assert len(ask(requests)) == stored() == 100
        assert billed_twice(server) <= spending().lost


def test_a_disk_that_is_full_from_the_start_is_named(disk: Path) -> None:
    requests = questions(Endpoint(base_url="http://127.0.0.1:9/v1", idle_timeout=1), 100)
    with Ledger(default_path()) as ledger:
        ledger.import_entries(entry(request) for request in requests)
    fill(disk)
    with pytest.raises(BadInput, match=r"ledger.sqlite: the disk is full; free some space"):
        ask(requests)
    (disk / "other").unlink()
    assert len(ask(requests)) == stored() == 100


def fill(disk: Path) -> None:
    with (disk / "other").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(bytes(4096))


# ---- several processes ---------------------------------------------------------------------------


def test_a_new_ledger_may_be_opened_by_several_at_once(tmp_path: Path) -> None:
    for number in range(60):
        together = threading.Barrier(4)

        def open_one(together: threading.Barrier = together, number: int = number) -> None:
            together.wait()
            Ledger(tmp_path / str(number) / "ledger.sqlite").connection.close()

        with ThreadPoolExecutor(4) as threads:
            for opened in [threads.submit(open_one) for _ in range(4)]:
                opened.result()
