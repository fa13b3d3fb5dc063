"""The ledger: keyed by content, first answer stays, packs checked line by line."""

import multiprocessing
from pathlib import Path

import pytest

from alpacare.core.errors import BadInput
from alpacare.llm.cache_pack import Entry, read_pack, write_pack
from alpacare.llm.client import ask
from alpacare.llm.endpoints import RECORDINGS, Endpoint
from alpacare.llm.ledger import Ledger, default_path
from alpacare.llm.request import Request

SERVER = Endpoint(base_url="https://api.example/v1")


def entry(text: str, reply: str = "r") -> Entry:
    request = Request(RECORDINGS, {"model": "m", "messages": [{"content": text}]})
    return Entry(
        key=request.key(),
        request=request.content(),
        response={
            "model": "m",
            "choices": [{"message": {"content": reply}, "finish_reason": "stop"}],
        },
        received="2026-01-01T00:00:00Z",
        price=None,
    )


def test_the_key_is_the_content_and_nothing_else() -> None:
    body = {"model": "m", "messages": [], "temperature": 1.0}
    key = Request(SERVER, body, label="request 7").key()
    assert key == Request(SERVER, dict(reversed(body.items())), label="request 8").key()
    others = [
        Request(RECORDINGS, body),
        Request(SERVER, {**body, "temperature": 0.9}),
        Request(SERVER, body, sample=1),
        Request(SERVER, body, path="/completions"),
    ]
    assert len({key, *(other.key() for other in others)}) == 5


def test_the_key_of_a_request_never_changes() -> None:
    """A new key would make every existing ledger worthless."""
    request = Request(SERVER, {"model": "m", "messages": [{"content": "é"}]})
    assert request.key() == ("0b5b40433dcdc34e9120336c111b0e3d29c141fc1f58a6951e81aa430edf992d")


def test_the_first_answer_stays(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.import_entries([entry("q", "first")])
        ledger.import_entries([entry("q", "second")])
        found = ledger.get(entry("q").key)
    assert found is not None
    assert found.text == "first"


def test_a_pack_is_imported_whole_or_not_at_all(tmp_path: Path) -> None:
    pack = tmp_path / "pack.jsonl"
    write_pack(pack, [entry("a"), entry("b")])
    assert [e.key for e in read_pack(pack)] == [entry("a").key, entry("b").key]
    pack.write_text(pack.read_text()[:-150])
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        with pytest.raises(BadInput, match=r"pack.jsonl:2: not valid JSON"):
            ledger.import_entries(list(read_pack(pack)))
        assert ledger.get(entry("a").key) is None


def test_a_pack_decides_where_the_ledger_says_otherwise(tmp_path: Path) -> None:
    """DVC hashes the pack and not the ledger: same inputs must give the same bytes."""
    with Ledger(default_path()) as ledger:
        ledger.import_entries([entry("q", "from the ledger")])
    request = Request(RECORDINGS, entry("q").request["body"])
    assert ask([request])[0].text == "from the ledger"
    write_pack(tmp_path / "pack.jsonl", [entry("q", "from the pack")])
    assert ask([request], [tmp_path / "pack.jsonl"])[0].text == "from the pack"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"choices": [{', '"choices": [], "x": [{', "field 'choices' is empty"),
        ('"content": "r"', '"content": 5', "field 'choices.0.message.content' is a number"),
        ('"content": "r"', r'"content": "\ud83d"', "half of a character"),
    ],
)
def test_answers_that_cannot_be_read_later_are_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    pack = tmp_path / "pack.jsonl"
    write_pack(pack, [entry("a")])
    assert old in pack.read_text()
    pack.write_text(pack.read_text().replace(old, new))
    with pytest.raises(BadInput) as error:
        list(read_pack(pack))
    assert message in str(error.value)


def test_two_answers_to_one_request_in_a_pack_are_refused(tmp_path: Path) -> None:
    write_pack(tmp_path / "pack.jsonl", [entry("a", "x"), entry("a", "y")])
    with pytest.raises(BadInput, match=r"pack.jsonl:2: line 1 answers the same request"):
        list(read_pack(tmp_path / "pack.jsonl"))


def test_a_damaged_ledger_is_named(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"no database" * 999)
    with pytest.raises(BadInput, match=r"ledger.sqlite: file is not a database"):
        Ledger(tmp_path / "ledger.sqlite")


def _write_many(path: Path, start: int) -> None:
    with Ledger(path) as ledger:
        for number in range(start, start + 300):
            ledger.import_entries([entry(f"q{number}")])


def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(path, start)) for start in (0, 150)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    with Ledger(path) as ledger:
        assert all(ledger.get(entry(f"q{n}").key) for n in range(450))
