"""Packs show damage and careless edits: a digest in each line, and a last one over all of them."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, run

from alpacare.cli.main import main
from alpacare.llm.cache_pack import Entry, read_pack, write_pack
from alpacare.llm.endpoints import Endpoint
from alpacare.llm.ledger import Ledger, default_path
from alpacare.llm.reply import Call
from alpacare.llm.request import chat

PACK = Path("pack.jsonl")
SERVER = Endpoint(base_url="https://api.example/v1")
Lines = list[dict[str, Any]]


def entry(number: int) -> Entry:
    request = chat(SERVER, "m", [{"role": "user", "content": f"question {number} à 1/3"}])
    return Entry(
        key=request.key(),
        request=request.content(),
        response={
            "model": "m-1",
            "choices": [{"message": {"content": f"answer {number}"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        },
        received="2026-01-31T12:00:00Z",
        price=1 / 3e6,
        call=Call(seconds=0.1, retries={"429": 1}, prices="own"),
    )


@pytest.fixture
def lines(workspace: Path) -> Lines:
    """A pack of three answers as its lines."""
    write_pack(PACK, map(entry, range(3)))
    return [json.loads(line) for line in PACK.read_text().splitlines()]


def write(lines: Lines) -> None:
    PACK.write_text("".join(json.dumps(line) + "\n" for line in lines))


def bare(lines: Lines) -> Lines:
    """The lines as an earlier version wrote them."""
    return [{name: line[name] for name in line if name != "digest"} for line in lines]


def change(path: str, value: Any) -> Callable[[Lines], None]:
    """Change one value of the second line."""

    def apply(lines: Lines) -> None:
        *above, name = path.split(".")
        place: Any = lines[1]
        for part in above:
            place = place[int(part) if part.isdigit() else part]
        place[name] = value

    return apply


def assert_refused(message: str) -> None:
    """By both commands, in one line, and nothing is imported."""
    for command in ("verify", "import"):
        done = run(main, "ledger", command, PACK)
        assert done.exit_code == 2, done.output
        assert message in done.output
        assert len(done.output.strip().splitlines()) == 1
    with Ledger(default_path()) as ledger:
        assert list(ledger.all_keys()) == []


EDITS = {
    "response.choices.0.message.content": "a better answer",
    "response.usage.completion_tokens": 4,
    "response.model": "m-2",
    "price": 0.1,
    "received": "2026-01-31T12:00:01Z",
    "call.seconds": 0.2,
    "call.retries": {},
    "digest": "0" * 64,
}


@pytest.mark.parametrize("path", EDITS)
def test_whatever_is_edited_is_named(lines: Lines, path: str) -> None:
    change(path, EDITS[path])(lines)
    write(lines)
    assert_refused("pack.jsonl:2: the digest is not that of request, response, usage, price and ti")


@pytest.mark.parametrize(
    "edit",
    [
        lambda lines: lines.insert(0, lines.pop(1)),
        lambda lines: (lines.pop(1), lines[-1].update(end=2)),
        lambda lines: lines[-1].update(digest="0" * 64),
        lambda lines: lines[-1].pop("digest"),
        lambda lines: lines[1].pop("digest"),
    ],
    ids=["order", "one taken out", "another last digest", "no last digest", "one without"],
)
def test_the_last_digest_is_over_all_lines(lines: Lines, edit: Callable[[Lines], Any]) -> None:
    edit(lines)
    write(lines)
    assert_refused("pack.jsonl: its last digest is not that of its entries")


@pytest.mark.parametrize("old", [False, True], ids=["written today", "of an earlier version"])
@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("price", -0.01, "its price is -0.01, which is no number from 0 on"),
        ("price", float("nan"), "its price is nan, which"),
        ("price", float("inf"), "its price is inf, which"),
        ("call.seconds", -1.0, "its call.seconds is -1.0"),
        ("received", "yesterday", "its time `received` is no time in UTC"),
        ("received", "2026-02-30T12:00:00Z", "its time `received` is no time in UTC"),
        ("received", "2026-01-31T12:00:00", "its time `received` is no time in UTC"),
        ("received", "", "its time `received` is no time in UTC"),
    ],
)
def test_a_price_or_time_that_is_none_is_refused(
    lines: Lines, path: str, value: Any, message: str, old: bool
) -> None:
    """Also where the digests fit it."""
    changed = bare(lines)
    change(path, value)(changed)
    if old:
        write(changed)
    else:
        write_pack(PACK, [Entry(**line) for line in changed[:-1]])
    assert_refused(f"pack.jsonl:2: {message}")


def test_what_was_written_verifies_and_imports(lines: Lines) -> None:
    last = lines[-1]["digest"]
    done = run(main, "ledger", "verify", PACK)
    assert done.output == (
        f"pack.jsonl: 3 answers, all as they were written; last digest {last}\n"
    ), "and no ledger is needed for it"
    assert run(main, "ledger", "import", PACK).output == (
        "pack.jsonl: 3 answers imported, 0 were there already\n"
    )
    done = run(main, "ledger", "export", "again.jsonl")
    assert re.search(r"3 answers written to again.jsonl; last digest [0-9a-f]{64}", done.output)
    assert {e.key: e for e in read_pack(Path("again.jsonl"))} == {
        e.key: e for e in read_pack(PACK)
    }, "with the same digests"


OLD = [
    REPOSITORY / "tests/historic/pack.jsonl",
    REPOSITORY / "data/recordings/instructions.jsonl",
    PACK,
]


@pytest.mark.parametrize("pack", OLD, ids=["historic", "recordings", "stripped"])
def test_packs_of_earlier_versions_come_in_and_are_said_to_have_no_digests(
    lines: Lines, pack: Path
) -> None:
    write(bare(lines))
    for command, said in (
        ("verify", "answers; it is without"),
        ("import", "already; it is without"),
    ):
        done = run(main, "ledger", command, pack)
        assert done.exit_code == 0, done.output
        assert f"{said} digests, from an earlier version" in done.output


def test_a_price_or_time_that_is_none_is_found_in_the_ledger_too(lines: Lines) -> None:
    """It is named, left out of what is exported, and replaced by what a pack has."""
    run(main, "ledger", "import", PACK)
    with Ledger(default_path()) as ledger:
        key, other, _ = ledger.all_keys()
        ledger.connection.execute("UPDATE entries SET price = -1 WHERE key = ?", (key,))
        ledger.connection.execute("UPDATE entries SET received = 'x' WHERE key = ?", (other,))
    done = run(main, "ledger", "verify")
    assert done.exit_code == 2
    assert f"{key[:12]} (its price is -1.0, which is no number from 0 on)" in done.output
    assert f"{other[:12]} (its time `received` is no time in UTC)" in done.output
    done = run(main, "ledger", "export", "rest.jsonl")
    assert f"left out: {key[:12]} (its price is -1.0" in done.output
    assert "1 answer written" in done.output
    assert "2 damaged ones replaced" in run(main, "ledger", "import", PACK).output
    assert run(main, "ledger", "verify").exit_code == 0
