"""Damage is named, never passed over and never paid for: ledgers, packs, an old version's file."""

import random
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from asking import contents, entry, questions, stored
from loopback import Running, running

from alpacare.core.errors import BadInput
from alpacare.llm.cache_pack import write_pack
from alpacare.llm.client import ask
from alpacare.llm.endpoints import Endpoint
from alpacare.llm.ledger import Ledger, default_path
from alpacare.llm.request import Request

NOWHERE = Endpoint(base_url="http://127.0.0.1:9/v1", idle_timeout=1)  # a call there fails
PAGE = 4096


@pytest.fixture(autouse=True)
def key_and_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("BUDGET", "10")


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running() as server:
        yield server


def store(requests: list[Request]) -> Path:
    """Make a ledger that answers these, and close it, so that all is in one file."""
    with Ledger(default_path()) as ledger:
        ledger.import_entries(entry(request) for request in requests)
    return default_path()


def test_a_changed_letter_in_an_answer_is_named_and_not_asked_again(server: Running) -> None:
    requests = questions(Endpoint(base_url=server.url), 20)
    calls = server.state()["calls"]
    file = store(requests)
    with sqlite3.connect(file) as sql:
        sql.execute("UPDATE entries SET response = replace(response, 'to q7\"', 'to p7\"')")
    with pytest.raises(BadInput, match=rf"ledger.sqlite: entry {requests[7].key()[:12]}.*damaged"):
        ask(requests)
    assert len(ask(requests[:7])) == 7
    assert server.state()["calls"] == calls


def test_a_changed_letter_in_a_key_is_named_and_its_answer_not_asked_again(
    server: Running,
) -> None:
    requests = questions(Endpoint(base_url=server.url), 20)
    calls = server.state()["calls"]
    file = store(requests)
    good, whole = outcome(requests), file.read_bytes()
    key = requests[7].key().encode()
    outcomes = []
    for found in re.finditer(key, whole):  # in the table, and in the index of copies
        file.write_bytes(whole[: found.end() - 1] + b"x" + whole[found.end() :])
        outcomes.append(outcome(requests))
    assert f"{file}: entry {key.decode()[:12]} is damaged; run `alpacare ledger verify`" in outcomes
    assert all(each == good or "is damaged" in each for each in outcomes)
    assert server.state()["calls"] == calls


def test_damage_on_any_page_is_named_or_harmless_and_sends_nothing(server: Running) -> None:
    requests = questions(Endpoint(base_url=server.url), 200)
    calls = server.state()["calls"]
    file = store(requests)
    good, whole = outcome(requests), file.read_bytes()
    outcomes = []
    for page in range(0, len(whole), PAGE):
        file.write_bytes(damaged(whole, page))
        outcomes.append(outcome(requests))
    assert all(each == good or f"{file}: " in each for each in outcomes)
    assert sum(each != good for each in outcomes) > len(outcomes) / 4
    assert server.state()["calls"] == calls


def damaged(whole: bytes, page: int) -> bytes:
    """Zeros somewhere on a page."""
    place = page + random.Random(page).randrange(PAGE - 64)
    return whole[:place] + bytes(64) + whole[place + 64 :]


def outcome(requests: list[Request]) -> str:
    """The answers, or why there are none."""
    try:
        return repr(contents(ask(requests)))
    except BadInput as error:
        return str(error)


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        (lambda lines: lines[:-1], "its last line, the number of entries, is missing"),
        (lambda lines: lines[:10], "its last line, the number of entries, is missing"),
        (lambda lines: [*lines[:10], lines[10][:99]], r":11: not valid JSON .* is it cut off"),
        (lambda lines: lines[:10] + lines[11:], "19 entries, but 20 were written"),
    ],
)
def test_a_pack_that_was_cut_is_named_and_nothing_of_it_imported(
    cut: Callable[[list[str]], list[str]], message: str
) -> None:
    requests = questions(NOWHERE, 20)
    pack = Path("pack.jsonl")
    write_pack(pack, map(entry, requests))
    pack.write_text("".join(cut(pack.read_text().splitlines(keepends=True))))
    with pytest.raises(BadInput, match=rf"pack.jsonl.*{message}"):
        ask(requests, [pack])
    assert stored() == 0


def test_a_ledger_of_version_1_answers_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BUDGET")
    requests = questions(NOWHERE, 20)
    default_path().parent.mkdir()
    with sqlite3.connect(default_path()) as sql:
        sql.execute(
            "CREATE TABLE entries(key TEXT PRIMARY KEY, request TEXT, response TEXT, "
            "received TEXT, price REAL) WITHOUT ROWID"
        )
        rows = [entry(request).model_dump_json() for request in requests]
        sql.executemany(
            "INSERT INTO entries SELECT json ->> 'key', json -> 'request', json -> 'response', "
            "json ->> 'received', json ->> 'price' FROM (SELECT ? AS json)",
            [(row,) for row in rows],
        )
    answers = ask(requests)
    assert [answer.text for answer in answers] == [f"answer to q{n}" for n in range(20)]
    assert {answer.price for answer in answers} == {0.5}
    assert stored() == 20
