"""Replies that are not as the API has them: used and counted, or kept as they came, paid once."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from asking import MODEL, billed_twice, contents, questions, spending, stored
from loopback import Running
from loopback_oddities import ABSURD, BYTES, FORMALITIES, UNREADABLE

from alpacare.core.errors import BadInput
from alpacare.llm.batch_records import BatchRecords
from alpacare.llm.cache_pack import read_pack, write_pack
from alpacare.llm.client import ask
from alpacare.llm.endpoints import Endpoint
from alpacare.llm.json_bytes import Unreadable
from alpacare.llm.ledger import Ledger, default_path
from alpacare.llm.maintenance import intact_entries
from alpacare.llm.price_correction import correct_price
from alpacare.llm.reply_reader import read_reply
from alpacare.llm.request import Request
from alpacare.llm.unread import allow_again, reader_version, unread_replies, waiting_keys
from alpacare.llm.usage import count_usage

MODES = ("online", "batch")
NAMES = {kind: name for kind, (_, name) in FORMALITIES.items()}
NAMES |= {kind: name for kind, (*_, name) in BYTES.items()}


@pytest.fixture(autouse=True)
def key_and_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("BUDGET", "10")


def error_of(action: Callable[[], object]) -> str:
    with pytest.raises(BadInput) as error:
        action()
    assert "\n" not in str(error.value)
    return str(error.value)


def runs() -> list[dict[str, object]]:
    return [json.loads(line) for line in Path(".ledger/runs.jsonl").read_text().splitlines()]


def kept() -> list[tuple[str, bytes, float]]:
    with Ledger(default_path()) as ledger:
        return [(each.key, each.reply, each.price) for _, each in unread_replies(ledger)]


# ---- what can be read ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", NAMES)
def test_a_formality_costs_no_answer_and_is_counted(
    server: Running, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    server.configure(faults={kind: 1.0}, text="Ein Befund, µg/dl {seed}", output_tokens=20)
    asked = questions(Endpoint(base_url=server.url), 3)
    answers = ask(asked)
    assert capsys.readouterr().err.count(f"{NAMES[kind]} 3") == 1, "one line at the end"
    assert all(answer.text.startswith("Ein Befund, µg/dl ") for answer in answers)
    usage = count_usage(answers)
    assert (usage["warnings"], usage["drift"]) == ({NAMES[kind]: 3}, False)
    assert (usage["tokens_out"] == 60) == (NAMES[kind] != "no token counts")
    assert ask(asked) == answers, "from the ledger the same"
    assert server.state()["calls"] == 3
    assert runs()[0]["warnings"] == {NAMES[kind]: 3}
    with Ledger(default_path()) as ledger:
        write_pack(Path("pack.jsonl"), intact_entries(ledger))
    packed = {entry.key: entry.answer() for entry in read_pack(Path("pack.jsonl"))}
    assert packed == {answer.key: answer for answer in answers}


@pytest.mark.parametrize("kind", FORMALITIES)
def test_a_formality_in_a_batch_is_read_too(server: Running, kind: str) -> None:
    server.configure(faults={kind: 1.0})
    answers = ask(questions(Endpoint(base_url=server.url, mode="batch"), 3))
    assert count_usage(answers)["warnings"] == {NAMES[kind]: 3}
    assert server.state()["calls"] == 0


def test_mixed_with_good_replies_every_row_arrives(server: Running) -> None:
    server.configure(faults=dict.fromkeys(NAMES, 0.04), text="µ {seed}")
    answers = ask(questions(Endpoint(base_url=server.url), 150))
    assert len({answer.text for answer in answers}) == 150
    assert billed_twice(server) == 0
    assert sum(count_usage(answers)["warnings"].values()) == sum(server.state()["faults"].values())


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"choices": [{"text": "half \\ud83d"}]}', "half \ufffd"),
        (b'{"choices": [{"message": {"content": {"type": "text", "text": "x"}}}]}', "x"),
        (b'{"choices": [{"message": {"content": ["a", "b"]}}]}', "ab"),
        (b'{"choices": [{"message": {"content": []}}]}', ""),
        (b' \r\n {"choices": [{"text": "x", "logprobs": -1e999}]}', "x"),
        (b'{"choices": [{"text": "x"}], "usage": {"prompt_tokens": "many"}}', "x"),
        (b'{"choices": [{"message": {"content": null, "refusal": {"why": 1}}}]}', ""),
    ],
)
def test_other_oddities_that_need_no_guess(body: bytes, text: str) -> None:
    reply = read_reply(body)
    assert reply.completion.model == "unknown"
    choice = reply.completion.choices[0]
    assert ((choice.text or "") if choice.message is None else choice.message.content or "") == text
    json.dumps(reply.raw, allow_nan=False, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "not valid JSON"),
        (b"<html>", "not valid JSON"),
        (b'{"choices": [{"text": "caf\xe9"}]}', "its bytes are not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[]", "a list and not a JSON object"),
        (b'{"choices": {"text": "x"}}', "field 'choices' is an object"),
        (b'{"choices": ["x"]}', "field 'choices.0' is a text"),
        (b'{"choices": [{"text": [{"image_url": "x"}]}]}', "'choices.0.text' is a list without"),
        (b'{"choices": [{"text": "x"}], "n": ' + b"9" * 5000 + b"}", "4,300 digits"),
    ],
)
def test_what_cannot_be_read_is_named(body: bytes, problem: str) -> None:
    with pytest.raises(Unreadable, match=problem):
        read_reply(body)


# ---- what cannot be read -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        *((kind, problem) for kind, (_, problem) in UNREADABLE.items()),
        ("truncated_json", "not valid JSON from character 55 of 60 on"),
        ("empty_choices", "field 'choices' is empty"),
        ("wrong_type", "not valid JSON"),
    ],
)
def test_a_server_whose_replies_cannot_be_read_is_soon_not_asked(
    server: Running, kind: str, problem: str
) -> None:
    server.configure(faults={kind: 1.0})
    asked = questions(Endpoint(base_url=server.url, in_flight=5), 100)
    message = error_of(lambda: ask(asked))
    assert "5 replies one after another cannot be read" in message
    assert problem in message
    calls = server.state()["calls"]
    assert 5 <= calls <= 10, "those in flight when the fifth came"
    replies = kept()
    assert len(replies) == calls, "each is kept"
    assert spending().spent == pytest.approx(sum(price for _, _, price in replies))
    assert (spending().in_flight, spending().unsure) == (0, 0)
    assert billed_twice(server) == 0
    # the same command asks for one other answer, to see whether the server has been mended
    error_of(lambda: ask(asked))
    assert server.state()["calls"] == calls + 1
    server.configure(faults={})
    message = error_of(lambda: ask(asked))
    asked_before = {key for key, _, _ in replies}
    assert f"{len(kept())} of 100 answers are missing" in message or "got no answer" in message
    assert stored() == 100 - len(kept())
    assert server.state()["calls"] == calls + 1 + stored()
    assert asked_before <= {key for key, _, _ in kept()}


def test_one_reply_that_cannot_be_read_does_not_hold_up_the_rest(server: Running) -> None:
    server.configure(faults={"content_number": 0.05})
    asked = questions(Endpoint(base_url=server.url), 60)
    message = error_of(lambda: ask(asked))
    lost = server.state()["faults"]["content_number"]
    assert f"{lost} requests got no answer: q" in message
    assert "field 'choices.0.message.content' is a number" in message
    assert (stored(), len(kept()), server.state()["calls"]) == (60 - lost, lost, 60)
    server.configure(faults={})
    message = error_of(lambda: ask(asked))
    assert f"{lost} of 60 answers are missing, as replies cannot be read" in message
    assert server.state()["calls"] == 60, "paid for once"


def test_ten_replies_that_cannot_be_read_end_a_run(server: Running) -> None:
    server.configure(faults={"content_number": 0.2})
    message = error_of(lambda: ask(questions(Endpoint(base_url=server.url, in_flight=1), 200)))
    assert "too many replies cannot be read: q" in message
    assert len(kept()) == 10
    assert server.state()["calls"] == 10 + stored() < 100


def test_a_reply_that_broke_off_is_kept_and_asked_again(server: Running) -> None:
    server.configure(faults={"truncated_json": 0.1})
    answers = ask(questions(Endpoint(base_url=server.url), 60))
    broken = server.state()["faults"]["truncated_json"]
    assert len(answers) == 60
    assert [reply for _, reply, _ in kept()] == [kept()[0][1]] * broken
    paid = sum(answer.price or 0 for answer in answers) + sum(price for *_, price in kept())
    assert spending().spent == pytest.approx(paid)
    with Ledger(default_path()) as ledger:  # all are answered
        assert waiting_keys(ledger) == {}
        assert allow_again(ledger, []) == 0


def test_a_batch_whose_replies_cannot_be_read_is_kept_and_not_asked_online(
    server: Running,
) -> None:
    server.configure(faults={"content_number": 1.0})
    endpoint = Endpoint(base_url=server.url, mode="batch")
    asked = questions(endpoint, 8)
    assert "8 requests got no answer" in error_of(lambda: ask(asked))
    assert all(b'"custom_id"' in reply for _, reply, _ in kept())
    assert spending().spent == pytest.approx(sum(price for *_, price in kept()))
    message = error_of(lambda: ask([*asked, *questions(endpoint, 9)]))
    assert "its last 8 replies cannot be read, so no batch is sent" in message
    state = server.state()
    assert (state["calls"], state["batches"], len(kept())) == (0, 1, 8)
    with Ledger(default_path()) as ledger:  # another process that wants them, too
        prices = [(request, 0.01) for request in asked]
        assert BatchRecords(ledger, endpoint).reserve("again", prices, 5.0) == ([], False)


@pytest.mark.parametrize("mode", MODES)
def test_a_kept_reply_that_can_be_read_becomes_the_answer(
    server: Running, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """As after an update of this code: the replies are fine, and were kept as if they were not."""
    asked = questions(Endpoint(base_url=server.url, mode=mode), 4)  # type: ignore[arg-type]
    answers = ask(asked)
    paid = spending().spent
    make_unread(asked, mode)
    for name in ("OPENAI_API_KEY", "BUDGET"):
        monkeypatch.delenv(name)
    assert contents(ask(asked)) == contents(answers)
    assert kept() == []
    assert spending().spent == pytest.approx(paid)
    assert len(server.state()["served"]) == 4


def test_a_corrected_price_stays_when_a_kept_reply_becomes_the_answer(server: Running) -> None:
    asked = questions(Endpoint(base_url=server.url), 2)
    ask(asked)
    make_unread(asked, "online")
    with Ledger(default_path()) as ledger:
        ledger.connection.execute("UPDATE unread SET reader = ?", (reader_version(),))
    with Ledger(default_path()) as ledger:
        correct_price(ledger, asked[0].key(), 0.5, "on the bill")
        ledger.connection.execute("UPDATE unread SET reader = 'of an earlier version'")
    first, second = ask(asked)
    assert first.price == 0.5
    assert second.price
    assert second.price < 0.01


def make_unread(requests: list[Request], mode: str) -> None:
    """Put answers back among the replies that cannot be read, at a dollar each."""
    with Ledger(default_path()) as ledger:
        rows = [ledger.entry(request.key()) for request in requests]
    from alpacare.llm.unread import UnreadReply, keep

    with Ledger(default_path()) as ledger, ledger.transaction():
        for request, row in zip(requests, rows, strict=True):
            line = {"custom_id": row.key, "response": {"status_code": 200, "body": row.response}}
            reply = json.dumps(line if mode == "batch" else row.response).encode()
            assert row.call
            keep(
                ledger.connection,
                UnreadReply.of(request, reply, "field 'x'", row.received, 1.0, row.call),
            )
        ledger.connection.execute("DELETE FROM entries")
        ledger.connection.execute("UPDATE money SET spent = 4.0")
        ledger.connection.execute("UPDATE unread SET reader = 'of an earlier version'")


def test_free_replies_that_cannot_be_read_may_be_asked_again(server: Running) -> None:
    Path("prices.yaml").write_text(f"{MODEL}: {{input: 0, output: 0}}\n")
    server.configure(faults={"content_number": 1.0})
    asked = questions(Endpoint(base_url=server.url), 4)
    error_of(lambda: ask(asked))
    server.configure(faults={})
    assert len(ask(asked)) == 4


# ---- absurd counts -------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ABSURD)
def test_a_count_above_what_is_possible_costs_no_more_than_the_worst_price(
    server: Running, capsys: pytest.CaptureFixture[str], kind: str, mode: str
) -> None:
    Path("prices.yaml").write_text(f"{MODEL}: {{input: 1, output: 1}}\n")
    server.configure(faults={kind: 1.0})
    answers = ask(questions(Endpoint(base_url=server.url, mode=mode), 3))  # type: ignore[arg-type]
    assert capsys.readouterr().err.count("price capped 3") == 1
    prices = [answer.price or 0 for answer in answers]
    assert all(100 / 1e6 < price < 1000 / 1e6 for price in prices)
    assert spending().spent == pytest.approx(sum(prices))
    usage = count_usage(answers)
    assert (usage["warnings"], usage["tokens_out"]) == ({"price capped": 3}, 0)
