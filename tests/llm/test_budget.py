"""Budget, and what ends a run early: one clear line, nothing received is lost or paid twice."""

import re
import socket
from pathlib import Path

import pytest
from asking import ask_elsewhere, questions, spending, stored, wait_until
from loopback import Running, running

from alpacare.core.errors import BadInput
from alpacare.llm.client import ask
from alpacare.llm.endpoints import Endpoint
from alpacare.llm.request import Request

OURS = "ours: {input: 1, output: 1}\n"  # a dollar for a million tokens, whichever way they go
MOST = 0.0002  # dollars: 100 tokens out, and at most one in for each byte that is sent


@pytest.fixture(autouse=True)
def key_and_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("BUDGET", "10")


def error_of(requests: list[Request]) -> str:
    """Ask what cannot succeed, and give the error: one line."""
    with pytest.raises(BadInput) as error:
        ask(requests)
    message = str(error.value)
    assert "\n" not in message
    return message


def assert_gave_up(message: str, address: str) -> None:
    """The server is named, and soon: idle_timeout is below a second here."""
    found = re.search(rf"{address} gives no answer for (\d+) s", message)
    assert found, message
    assert int(found[1]) < 10


def assert_resumes(server: Running, requests: list[Request], message: str) -> None:
    """What arrived is in the ledger, the message says how much, and only the rest is asked."""
    assert f"{stored()} of {len(requests)} answers are in the ledger" in message
    assert sum(server.state()["served"].values()) == stored()
    server.configure(key=None, quota_after=None, down_after=None)
    assert len(ask(requests)) == len(requests)
    assert list(server.state()["served"].values()) == [1] * len(requests)
    assert spending().in_flight == 0


# ---- what ends a run -----------------------------------------------------------------------------


def test_a_missing_key_is_named_before_any_call(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    message = error_of(questions(Endpoint(base_url=server.url), 5))
    assert server.state()["calls"] == 0
    assert message.startswith(f"no API key for {server.url}: export OPENAI_API_KEY=")


def test_a_wrong_key_is_named_at_once(server: Running) -> None:
    server.configure(key="sk-right")
    asked = questions(Endpoint(base_url=server.url, in_flight=20), 100)
    message = error_of(asked)
    assert "refuses the key in OPENAI_API_KEY (401)" in message
    assert server.state()["calls"] < 60, "no use in asking on"
    assert_resumes(server, asked, message)


def test_an_exhausted_quota_keeps_what_had_arrived(server: Running) -> None:
    server.configure(latency=0.02, quota_after=30)
    asked = questions(Endpoint(base_url=server.url), 100)
    message = error_of(asked)
    assert "the account's quota is exhausted: You exceeded your current quota." in message
    assert_resumes(server, asked, message)


def test_a_server_that_is_not_there_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}/v1"
    message = error_of(questions(Endpoint(base_url=address, idle_timeout=0.5), 20))
    assert_gave_up(message, address)
    assert "0 of 20 answers are in the ledger" in message
    assert spending().unsure == 0, "nobody bills a call that never went out"


def test_a_connection_that_never_opens_costs_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf, socket.socket() as other:
        place = deaf.getsockname()
        other.connect(place)  # and with that its queue is full
        address = f"http://127.0.0.1:{place[1]}/v1"
        endpoint = Endpoint(base_url=address, timeout=0.3, idle_timeout=0.4)
        assert_gave_up(error_of(questions(endpoint, 5)), address)
    assert spending().unsure == 0, "the calls never went out"


def test_a_server_that_goes_down_keeps_what_had_arrived(server: Running) -> None:
    server.configure(latency=0.02, down_after=40)
    asked = questions(Endpoint(base_url=server.url, idle_timeout=0.5), 100)
    message = error_of(asked)
    assert_gave_up(message, server.url)
    assert_resumes(server, asked, message)


def test_a_server_that_is_killed_keeps_what_had_arrived() -> None:
    """Connections break in the middle of calls, and then nobody listens any more."""
    Path("prices.yaml").write_text(OURS)
    with running(latency=0.3) as server:
        endpoint = Endpoint(base_url=server.url, identity="it", in_flight=10, idle_timeout=0.5)
        process = ask_elsewhere(questions(endpoint, 40, model="ours"))
        wait_until(lambda: len(server.state()["served"]) >= 10)
        server.kill()
        process.join(60)
    arrived = stored()
    message = Path("log.txt").read_text()
    assert_gave_up(message, server.url)
    assert f"{arrived} of 40 answers are in the ledger" in message
    assert 0 < spending().unsure <= 10 * MOST, "for the calls that broke, and for no others"
    with running() as server:
        ask(questions(Endpoint(base_url=server.url, identity="it"), 40, model="ours"))
        assert sum(server.state()["served"].values()) == 40 - arrived


def test_a_question_asked_twice_is_not_counted_as_answered(server: Running) -> None:
    server.configure(down_after=0)
    asked = questions(Endpoint(base_url=server.url, idle_timeout=0.2), 5)
    assert "0 of 5 answers are in the ledger" in error_of([*asked, *asked])


# ---- prices --------------------------------------------------------------------------------------


def test_a_model_without_a_price_is_not_asked(server: Running) -> None:
    message = error_of(questions(Endpoint(base_url=server.url), 5, model="ours"))
    assert server.state()["calls"] == 0
    assert "no price known for model 'ours': write it into prices.yaml" in message


@pytest.mark.parametrize("model", ["ours", "gpt-4o-mini"])
def test_prices_yaml_decides(server: Running, model: str) -> None:
    Path("prices.yaml").write_text(f"{model}: {{input: 1, output: 1}}\n")
    answers = ask(questions(Endpoint(base_url=server.url), 20, model=model))
    tokens = server.state()["tokens"]
    assert sum(answer.price or 0 for answer in answers) == pytest.approx(tokens / 1e6)
    assert spending().spent == pytest.approx(tokens / 1e6)
    assert {answer.call.prices for answer in answers if answer.call} == {"prices.yaml"}


def test_without_a_token_count_the_worst_price_counts(server: Running) -> None:
    Path("prices.yaml").write_text(OURS)
    server.configure(usage=False)
    (answer,) = ask(questions(Endpoint(base_url=server.url), 1, model="ours"))
    assert answer.price is not None
    assert answer.price > 100 / 1e6, "at least what it was allowed to write"


def test_a_call_without_a_limit_has_no_bound_and_is_not_made(server: Running) -> None:
    asked = questions(Endpoint(base_url=server.url), 1, max_tokens=None)
    assert "q0: no max_tokens" in error_of(asked)
    assert server.state()["calls"] == 0


# ---- the budget ----------------------------------------------------------------------------------


def test_without_a_budget_nothing_is_asked(
    server: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("prices.yaml").write_text(OURS)
    asked = questions(Endpoint(base_url=server.url), 50, model="ours", max_tokens=20_000)
    ask(asked[:10])
    monkeypatch.delenv("BUDGET")
    message = error_of(asked)
    assert server.state()["calls"] == 10
    assert "40 of 50 answers are not in the ledger" in message
    # 40 times 20,000 tokens out at a dollar a million, and the little that goes in
    assert re.search(r"at most 800,000 out, at most \$0\.80; set BUDGET", message)
    assert "missing: q10 (ledger key" in capsys.readouterr().err


@pytest.mark.parametrize("amount", ["lots", "-1", "nan", "inf", "1,5"])
def test_a_budget_that_is_no_amount_is_named(
    server: Running, monkeypatch: pytest.MonkeyPatch, amount: str
) -> None:
    monkeypatch.setenv("BUDGET", amount)
    message = error_of(questions(Endpoint(base_url=server.url), 1))
    assert server.state()["calls"] == 0
    assert f"BUDGET='{amount}' is not an amount" in message


def test_hundreds_in_flight_never_exceed_the_budget(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers are 1 to 100 tokens long and some are lost: the reservations hold the bound."""
    Path("prices.yaml").write_text(OURS)
    budget = 0.03
    monkeypatch.setenv("BUDGET", str(budget))
    server.configure(latency=0.2, faults={"reset": 0.02})
    endpoint = Endpoint(base_url=server.url, in_flight=500)
    asked = questions(endpoint, 900, model="ours")[100:]  # all of one length, so of one bound
    assert "BUDGET=$0.03 does not allow the next call" in error_of(asked)
    dollars = spending()
    assert dollars.in_flight == 0
    assert 0 < dollars.unsure < dollars.spent
    assert budget - MOST < dollars.spent + dollars.unsure <= budget, "to the last call that fits"
    assert server.state()["tokens"] / 1e6 <= budget
    assert_no_new_budget(server, asked)
    monkeypatch.setenv("BUDGET", "10")
    assert len(ask(asked)) == 800
    assert list(server.state()["served"].values()) == [1] * 800


def assert_no_new_budget(server: Running, requests: list[Request]) -> None:
    """BUDGET is a limit on all that the ledger ever paid, not one a run."""
    calls = server.state()["calls"]
    assert "does not allow the next call" in error_of(requests)
    assert server.state()["calls"] == calls


def test_free_calls_need_no_budget(
    server: Running, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint on the user's own server, after another model has been paid."""
    mine, paid = Endpoint(base_url=server.url, api_key=None), Endpoint(base_url=server.url)
    ask(questions(paid, 2))
    spent = spending().spent
    assert spent > 0
    for budget in (None, "0", str(spent)):
        monkeypatch.delenv("BUDGET", raising=False)
        if budget:
            monkeypatch.setenv("BUDGET", budget)
        model = f"student-{'0123456789ab' if budget is None else budget.encode().hex()[:12]:0<12}"
        assert len(ask(questions(mine, 3, model=model))) == 3
    assert spending().spent == spent


@pytest.mark.parametrize(
    "model", ["student-70b", "student-0123456789abc", "my-student-0123456789ab"]
)
def test_only_a_checkpoints_hash_makes_a_model_free(
    server: Running, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    monkeypatch.delenv("BUDGET")
    assert "no price known for model" in error_of(
        questions(Endpoint(base_url=server.url), 1, model=model)
    )
    Path("prices.yaml").write_text("student-0123456789ab: {input: 5, output: 15}\n")
    own = questions(Endpoint(base_url=server.url), 1, model="student-0123456789ab")
    assert "set BUDGET" in error_of(own)
    assert server.state()["calls"] == 0
