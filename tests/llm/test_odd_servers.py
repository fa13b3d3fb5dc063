"""Undocumented behaviour of servers and of other processes."""

import json
import sqlite3
import threading
import time
from pathlib import Path

import pytest
from asking import questions, spending
from loopback import Running, running

from alpacare.core.errors import BadInput
from alpacare.llm.batch_output import read_output
from alpacare.llm.client import ask
from alpacare.llm.endpoints import Endpoint, read_endpoint
from alpacare.llm.ledger import Ledger, default_path
from alpacare.llm.maintenance import intact_entries
from alpacare.llm.prices import Prices
from alpacare.llm.rate_limits import Bucket
from alpacare.llm.usage import count_usage


@pytest.fixture(autouse=True)
def key_and_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("BUDGET", "10")


def test_a_reply_that_is_no_http_costs_one_try_and_no_other_call(server: Running) -> None:
    server.configure(faults={"garbage": 0.1}, latency=0.05)
    assert len(ask(questions(Endpoint(base_url=server.url, in_flight=20), 100))) == 100
    assert set(server.state()["served"].values()) == {1}
    assert server.state()["faults"]["garbage"] > 0


def test_answers_wait_for_a_ledger_that_another_process_locks(server: Running) -> None:
    server.configure(latency=0.2)
    Ledger(default_path()).connection.close()

    def lock() -> None:
        other = sqlite3.connect(default_path(), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        time.sleep(1.5)
        other.close()

    other_writer = threading.Thread(target=lock)
    threading.Timer(0.3, other_writer.start).start()
    assert len(ask(questions(Endpoint(base_url=server.url), 40))) == 40
    assert set(server.state()["served"].values()) == {1}


@pytest.mark.parametrize("break_", ["\u2028", "\x85", "\x0c"])
def test_odd_line_breaks_in_a_batchs_answer_stay_in_it(break_: str, server: Running) -> None:
    (request,) = questions(Endpoint(base_url=server.url), 1)
    choice = {"message": {"content": f"one{break_}two"}, "finish_reason": "stop"}
    body = {"model": "m", "choices": [choice]}
    line = {"custom_id": request.key(), "response": {"status_code": 200, "body": body}}
    text = json.dumps(line, ensure_ascii=False) + "\n"
    (entry,), unread = read_output(text.encode(), {request.key(): request}, Prices())
    assert (entry.answer().text, unread) == (f"one{break_}two", [])


@pytest.mark.parametrize("cut", [None, -2, -30])
def test_an_answer_of_a_batch_that_cannot_be_read_counts_as_paid(
    server: Running, cut: int | None
) -> None:
    (request,) = questions(Endpoint(base_url=server.url), 1)
    line = {"custom_id": request.key(), "response": {"status_code": 200, "body": {"model": "m"}}}
    output = json.dumps(line).encode()[:cut]
    entries, (unread,) = read_output(output, {request.key(): request}, Prices())
    assert (entries, unread.key, unread.reply) == ([], request.key(), output)
    assert unread.price == Prices().worst(request, "batch") > 0


def test_a_server_without_batches_is_named_and_serves_online_afterwards() -> None:
    with running(batch_api=False) as server:
        with pytest.raises(BadInput, match="no such address"):
            ask(questions(Endpoint(base_url=server.url, mode="batch"), 5))
        assert spending().in_batches == 0
        assert len(ask(questions(Endpoint(base_url=server.url), 5))) == 5


def test_a_batch_that_the_server_did_not_name_is_not_sent_again(server: Running) -> None:
    server.configure(batch_id=False)
    asked = questions(Endpoint(base_url=server.url, mode="batch"), 5)
    with pytest.raises(BadInput, match="a new batch has no id; the same command looks for"):
        ask(asked)
    assert len(ask(asked)) == 5
    assert (server.state()["batches"], server.state()["calls"]) == (1, 0)


def test_a_reply_that_broke_off_is_asked_again(server: Running) -> None:
    """`abort` and similar reasons do not end an answer."""
    server.configure(faults={"aborted": 0.3})
    answers = ask(questions(Endpoint(base_url=server.url), 30))
    assert {answer.finish_reason for answer in answers} <= {"stop", "length"}
    assert server.state()["faults"]["aborted"] > 0


def test_a_filtered_prompt_is_no_drift(server: Running) -> None:
    server.configure(faults={"content_filter": 0.3})
    usage = count_usage(ask(questions(Endpoint(base_url=server.url), 30)))
    assert 0 < usage["refused"] < 30
    assert usage["drift"] is False


def test_one_fault_and_a_slow_call_are_no_broken_server(server: Running) -> None:
    server.configure(faults={"hang": 1.0})
    endpoint = Endpoint(base_url=server.url, timeout=0.3, idle_timeout=0.2)
    threading.Timer(1.0, lambda: server.configure(faults={})).start()
    assert len(ask(questions(endpoint, 1))) == 1


def test_headers_do_not_raise_the_users_own_limit() -> None:
    bucket = Bucket(60)
    bucket.learn(10_000, 10_000)
    assert bucket.a_minute == 60
    bucket.learn(30, 30)
    assert bucket.a_minute == 30


def test_everything_that_is_sent_counts_as_input() -> None:
    endpoint = Endpoint(base_url="http://127.0.0.1:1/v1")
    (bare,) = questions(endpoint, 1)
    (schema,) = questions(endpoint, 1, response_format={"schema": "x" * 8000})
    (five,) = questions(endpoint, 1, best_of=5)
    prices = Prices()
    dearer = prices.worst(schema, "online") - prices.worst(bare, "online")
    assert dearer > 8000 * 0.15e-6
    assert prices.worst(five, "online") > 4 * 100 * 0.6e-6


def test_a_damaged_answer_is_not_exported(
    server: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(questions(Endpoint(base_url=server.url), 3))
    with Ledger(default_path()) as ledger:
        first = next(ledger.entries()).key
        ledger.connection.execute(
            "UPDATE entries SET response = replace(response, 'stop', 'stip') WHERE key = ?",
            (first,),
        )
        assert len(list(intact_entries(ledger))) == 2
        with pytest.raises(BadInput, match="is damaged"):
            list(ledger.entries())
    assert f"left out: {first[:12]}" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["localhost:8000", "http://user:secret@127.0.0.1:1/v1"])
def test_an_address_in_the_environment_is_checked(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", address)
    with pytest.raises(ValueError, match="OPENAI_BASE_URL"):
        Endpoint(base_url=None)


def test_the_old_name_of_idle_timeout_is_answered_with_the_new_one() -> None:
    Path("params.yaml").write_text("endpoints: {ours: {base_url: null, patience: 5}}\n")
    message = r"params.yaml: endpoints.ours.patience: this key has a new name: idle_timeout"
    with pytest.raises(BadInput, match=message):
        read_endpoint("ours")


def test_a_slash_at_the_end_is_no_other_server() -> None:
    names = {Endpoint(base_url=f"https://a.example/v1{end}").name for end in ("", "/")}
    assert len(names) == 1


def test_a_price_of_zero_is_not_taken_from_the_table() -> None:
    with pytest.raises(BadInput, match="no price known for model"):
        Prices().cost_of("mistral-nemo:free", "online")
    Path("prices.yaml").write_text("'mistral-nemo:free': {input: 0, output: 0}\n")
    assert Prices().cost_of("mistral-nemo:free", "online")(100, 100, 0) == 0
