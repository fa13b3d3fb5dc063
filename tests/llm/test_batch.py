"""Batches: half the price, the same answers, continued after any stop, nothing paid twice."""

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import openai
import pytest
from asking import ask_elsewhere, billed_twice, contents, questions, spending, stored, wait_until
from loopback import Running, running

from alpacare.core.errors import BadInput
from alpacare.llm.client import ask
from alpacare.llm.endpoints import Endpoint
from alpacare.llm.ledger import default_path
from alpacare.llm.prices import Prices
from alpacare.llm.reply import Answer
from alpacare.llm.request import Request

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

FOREVER = 60.0  # longer than any test, unless it fails


@pytest.fixture(autouse=True)
def key_and_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("BUDGET", "10")


def by_batch(server: Running, count: int) -> list[Request]:
    return questions(Endpoint(base_url=server.url, mode="batch", in_flight=20), count)


def online(server: Running, count: int) -> list[Request]:
    return questions(Endpoint(base_url=server.url, in_flight=20), count)


def modes(answers: list[Answer]) -> Counter[str]:
    return Counter(answer.call.mode for answer in answers if answer.call)


def sent(server: Running) -> tuple[int, int, int]:
    """Batches, their items, and calls online; nothing was billed twice or is still reserved."""
    state = server.state()
    assert billed_twice(server) == 0
    dollars = spending()
    assert (dollars.in_flight, dollars.in_batches, dollars.unsure) == (0, 0, 0)
    return state["batches"], state["batch_items"], state["calls"]


def send_and_stop(requests: list[Request], stop: str = "kill") -> None:
    """Let a run send its batch, and stop it."""
    process = ask_elsewhere(requests)
    wait_until(lambda: f"{len(requests)} requests sent" in Path("log.txt").read_text())
    getattr(process, stop)()
    process.join(30)
    assert spending().in_batches > 0


# ---- price and answers ---------------------------------------------------------------------------


def test_a_batch_costs_half_and_answers_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running() as server:
        cheap = ask(by_batch(server, 50))
        assert sent(server) == (1, 50, 0)
        spent = spending().spent
        monkeypatch.setenv("DVC_ROOT", str(tmp_path / "online"))
        dear = ask(online(server, 50))
    assert contents(cheap) == contents(dear)
    assert (modes(cheap), modes(dear)) == ({"batch": 50}, {"online": 50})
    assert 0 < spending().spent == pytest.approx(2 * spent)


def test_items_that_expire_or_fail_are_asked_online() -> None:
    with running(batch_expires=0.2, batch_fails=0.2) as server:
        answers = ask(by_batch(server, 100))
        came = modes(answers)
        assert 30 < came["batch"] < 90
        assert sent(server) == (1, 100, came["online"])
    assert came.total() == 100
    assert spending().spent == pytest.approx(sum(answer.price or 0 for answer in answers))


def test_what_was_answered_online_is_not_sent_in_a_batch() -> None:
    with running() as server:
        answers = ask(online(server, 20))
        assert ask(by_batch(server, 20)) == answers
        assert sent(server) == (0, 0, 20)
        assert len(ask(by_batch(server, 30))) == 30
        assert sent(server) == (1, 10, 20)


# ---- stops and resumes ---------------------------------------------------------------------------


@pytest.mark.parametrize("stop", ["terminate", "kill"])
def test_a_stopped_run_leaves_its_batch_to_the_next_one(stop: str) -> None:
    with running(batch_seconds=2) as server:
        requests = by_batch(server, 20)
        send_and_stop(requests, stop)
        log = Path("log.txt").read_text()
        if stop == "terminate":
            assert "batch batch_1 goes on at the server; the same command continues it" in log
            assert "stopped: 0 of 20 answers are in the ledger" in log
        assert modes(ask(requests)) == {"batch": 20}
        assert sent(server) == (1, 20, 0)


def test_a_batch_whose_run_was_killed_before_it_recorded_the_id_is_found() -> None:
    with running(batch_answer_seconds=FOREVER) as server:
        requests = by_batch(server, 20)
        run = ask_elsewhere(requests)
        wait_until(lambda: server.state()["batches"] == 1)
        kill(run)
        server.configure(batch_answer_seconds=0)
        assert modes(ask(requests)) == {"batch": 20}
        assert sent(server) == (1, 20, 0)


def test_a_batch_that_was_reserved_and_never_sent_is_sent_anew() -> None:
    with running(upload_seconds=FOREVER) as server:
        requests = by_batch(server, 20)
        run = ask_elsewhere(requests)
        wait_until(lambda: default_path().exists() and spending().in_batches > 0)
        kill(run)
        server.configure(upload_seconds=0)
        assert modes(ask(requests)) == {"batch": 20}
        assert sent(server) == (1, 20, 0)


def kill(run: "BaseProcess") -> None:
    run.kill()
    run.join()
    assert spending().in_batches > 0


def test_a_batch_that_was_made_without_an_answer_is_not_made_again() -> None:
    with running(batches_unanswered=1) as server:
        assert len(ask(by_batch(server, 20))) == 20
        assert sent(server) == (1, 20, 0)


def test_answers_that_nobody_asks_for_any_more_are_kept() -> None:
    with running(batch_seconds=1) as server:
        requests = by_batch(server, 20)
        send_and_stop(requests)
        assert len(ask(requests[:5])) == 5
        assert stored() == 20
        assert len(ask(requests)) == 20
        assert sent(server) == (1, 20, 0)


def test_new_questions_go_beside_a_batch_under_way() -> None:
    with running(batch_seconds=1) as server:
        send_and_stop(by_batch(server, 20))
        assert modes(ask(by_batch(server, 30))) == {"batch": 30}
        assert sent(server) == (2, 30, 0)


# ---- cancelling a batch --------------------------------------------------------------------------


def test_online_mode_cancels_a_batch_and_asks_what_it_lacks() -> None:
    with running(batch_seconds=FOREVER) as server:
        send_and_stop(by_batch(server, 20))
        assert modes(ask(online(server, 20))) == {"batch": 10, "online": 10}
        assert sent(server) == (1, 20, 10)


def test_online_mode_waits_for_a_batch_that_is_cancelled_already() -> None:
    with running(batch_seconds=FOREVER, cancel_seconds=1) as server:
        send_and_stop(by_batch(server, 20))
        openai.OpenAI(base_url=server.url).batches.cancel("batch_1")
        assert modes(ask(online(server, 20))) == {"batch": 10, "online": 10}
        assert sent(server) == (1, 20, 10)


# ---- budget and other runs -----------------------------------------------------------------------


def test_a_batch_is_no_larger_than_the_budget_allows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(output_tokens=50) as server:
        requests = by_batch(server, 40)
        budget = sum(worst(request) for request in requests[:10])
        monkeypatch.setenv("BUDGET", str(budget))
        with pytest.raises(BadInput, match=r"BUDGET=.* does not allow a batch"):
            ask(requests)
        sizes = [int(size) for size in re.findall(r"(\d+) requests? sent", capsys.readouterr().err)]
        assert sizes[0] == 10
        assert sum(sizes) == stored() > 10
        assert budget - worst(requests[0]) < spending().spent <= budget
        monkeypatch.setenv("BUDGET", "10")
        assert len(ask(requests)) == 40
        assert sent(server)[1:] == (40, 0)


def test_a_budget_below_a_single_item_is_named_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with running() as server:
        requests = by_batch(server, 40)
        monkeypatch.setenv("BUDGET", str(worst(requests[0]) / 2))
        with pytest.raises(BadInput, match=r"BUDGET=.* does not allow a batch"):
            ask(requests)
        assert sent(server) == (0, 0, 0)
        assert server.state()["files"] == 0


def worst(request: Request) -> float:
    return Prices().worst(request, "batch")


def test_two_runs_at_once_send_one_batch() -> None:
    """The second one starts while the first one's file is still on its way."""
    with running(upload_seconds=0.5) as server:
        requests = by_batch(server, 1000)
        runs = [ask_elsewhere(requests, Path(f"log{n}.txt")) for n in range(2)]
        for run in runs:
            run.join(60)
        assert [run.exitcode for run in runs] == [0, 0]
        assert sent(server) == (1, 1000, 0)
        assert stored() == 1000


def test_a_batch_leaves_out_what_another_run_is_asking_online() -> None:
    with running(latency=0.5) as server:
        process = ask_elsewhere(online(server, 60))
        wait_until(lambda: server.state()["calls"] > 0)
        assert len(ask(by_batch(server, 60))) == 60
        process.join(60)
        assert process.exitcode == 0
        assert sent(server)[0] <= 1
