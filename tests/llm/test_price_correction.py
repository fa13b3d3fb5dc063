"""`alpacare ledger price`, `unread` and `ask-again`: what was paid, corrected with a trace."""

import json
import sqlite3
from pathlib import Path

import pytest
from asking import MODEL, entry, questions, spending
from conftest import REPOSITORY, run
from loopback import Running

from alpacare.cli.main import main
from alpacare.core.errors import BadInput
from alpacare.llm.cache_pack import write_pack
from alpacare.llm.client import ask
from alpacare.llm.endpoints import Endpoint
from alpacare.llm.ledger import Ledger, default_path
from alpacare.llm.request import Request


@pytest.fixture(autouse=True)
def key_and_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("BUDGET", "10")


def ledger(*words: str) -> str:
    result = run(main, "ledger", *words)
    assert result.exit_code == 0, result.output
    return result.output


def refused(*words: str) -> str:
    result = run(main, "ledger", *words)
    assert result.exit_code == 2, result.output
    return result.output


def asked(server: Running, count: int) -> list[Request]:
    return questions(Endpoint(base_url=server.url, in_flight=1), count)


def test_a_wrong_price_is_shown_and_corrected_with_a_trace(server: Running) -> None:
    Path("prices.yaml").write_text(f"{MODEL}: {{input: 1, output: 1}}\n")
    server.configure(faults={"absurd_usage": 1.0})
    requests = asked(server, 3)
    answers = ask(requests)
    key, before = answers[1].key, answers[1].price or 0.0
    paid = spending().spent
    listed = ledger("price")
    assert listed.count("price capped") == 3
    assert "1000000000000" in listed, "what the server claimed"
    assert "1,000,000,000" not in ledger("stats")
    line = ledger("price", key[:12], "--set", "0.00001", "--why", "counted in characters")
    assert f"${before:.6f} is now $0.000010" in line
    assert spending().spent == pytest.approx(paid - before + 0.00001)
    shown = ledger("price", key[:12]).splitlines()
    assert "$0.000010 by prices.yaml" in shown[0]
    assert f"${before:.6f} to $0.000010: counted in characters" in shown[1]
    assert "@" in shown[1].split("by ")[1], "who"
    assert ask(requests)[1].price == 0.00001
    assert server.state()["calls"] == 3
    assert "3 answers, all" in ledger("verify")


def test_the_price_of_an_imported_answer_is_not_what_was_paid_here(server: Running) -> None:
    requests = asked(server, 2)
    ask(requests[:1])
    paid = spending().spent
    write_pack(Path("pack.jsonl"), [entry(requests[1])])
    ledger("import", "pack.jsonl")
    line = ledger("price", requests[1].key(), "--set", "0.1", "--why", "typed wrong")
    assert "imported, so what this ledger has paid stays" in line
    assert spending().spent == paid


def test_corrections_that_say_too_little_are_refused(server: Running) -> None:
    key = ask(asked(server, 1))[0].key
    for words in (("--set", "1"), ("--why", "so"), ("--set", "1", "--why", " ")):
        assert "needs all three" in refused("price", key, *words)
    assert "needs all three" in refused("price", "--set", "1", "--why", "so")
    for amount in ("nan", "-1", "inf", "1e9"):
        assert "is not the price of an" in refused("price", key, f"--set={amount}", "--why", "so")
    assert "no answer has a key that begins with 'ffffff" in refused("price", "f" * 64)
    assert "at least 6 characters" in refused("price", key[:3])


def test_replies_that_cannot_be_read_are_shown_corrected_and_asked_again(server: Running) -> None:
    server.configure(faults={"content_number": 1.0}, text="\x1b[31m")
    requests = asked(server, 4)
    with pytest.raises(BadInput, match="`alpacare ledger unread` shows them"):
        ask([*requests, *asked(server, 9)[4:]])
    assert "5 replies cannot be read ($0.0004 of what is paid)" in ledger("stats")
    listed = ledger("unread")
    assert (
        listed.count("field 'choices.0.message.content' is a number without text; not asked again")
        == 5
    )
    key = requests[0].key()
    shown = ledger("unread", key[:12])
    assert json.loads(shown.splitlines()[1])["choices"][0]["message"]["content"] == 5
    ledger("price", key[:12], "--set", "0", "--why", "not on the bill")
    assert "4 replies" not in ledger("stats")
    assert "$0.000000 at most" in ledger("unread", key)
    server.configure(faults={})
    with pytest.raises(BadInput, match=r"4 of 4 answers are missing.*ask-again"):
        ask(requests)
    assert "1 request will be asked" in ledger("ask-again", key)
    with pytest.raises(BadInput, match="3 of 4 answers are missing"):
        ask(requests)
    assert "4 requests will be asked" in ledger("ask-again")
    assert len(ask(requests)) == 4
    assert server.state()["calls"] == 9
    assert ledger("unread").count("may be asked again") == 5, "and are kept"
    with Ledger(default_path()) as opened:
        opened.connection.execute("UPDATE unread SET reply = x'78' WHERE id = 2")
    assert f"{requests[1].key()[:12]} (its unread reply was changed)" in refused("verify")


def test_a_ledger_of_the_version_before_goes_on(server: Running) -> None:
    """Its prices count as paid here, and its reservations and answers stay."""
    default_path().parent.mkdir()
    old = (REPOSITORY / "tests/historic/ledger.sqlite").read_bytes()
    default_path().write_bytes(old)
    with sqlite3.connect(default_path()) as sql:
        assert sql.execute("PRAGMA user_version").fetchone() == (2,)
        (key,) = sql.execute("SELECT min(key) FROM entries").fetchone()
        sql.execute("UPDATE entries SET price = 600000 WHERE key = ?", (key,))
        sql.execute("UPDATE money SET spent = 600000.5, unsure = 0.25")
    assert "3 answers, all" in ledger("verify")
    ledger("price", key, "--set", "0.5", "--why", "10^12 tokens were claimed")
    dollars = spending()
    assert (dollars.spent, dollars.unsure) == (pytest.approx(1.0), 0.25)
    assert len(ask(asked(server, 2))) == 2
