"""What is private stays so: the key is in nothing that a run leaves, and text goes nowhere else.

The tests share one clone and build on one another in the order of this file.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from clones import Clone, quick_clone
from loopback import Running, running

pytestmark = pytest.mark.slow

SECRET = "zq7f3" + "a9c51w"  # in two, as the clone has this file too; a part of the key is too much
KEY = f"sk-left-behind-{SECRET}"
ENDPOINT = "  endpoint: recordings\n  model: demo-teacher             # Paper: gpt-3.5-turbo"
ASKED = {ENDPOINT: "  endpoint: openai\n  model: gpt-4o-mini"}  # of `responses`


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running(key="sk-another", words=30) as server:
        yield server


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory, server: Running) -> Iterator[Clone]:
    """The clone of somebody with a key, who lets a real teacher answer."""
    clone = quick_clone(tmp_path_factory, "private")
    edit(clone, ASKED)
    clone.environment |= {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": server.url, "BUDGET": "5"}
    yield clone
    shutil.rmtree(clone.folder.parent, ignore_errors=True)


def edit(clone: Clone, changes: dict[str, str]) -> None:
    params = clone.folder / "params.yaml"
    text = params.read_text()
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    params.write_text(text)


def files_with_key(folder: Path) -> list[str]:
    """Every file below a folder that holds the key: ledger, outputs, logs, .dvc/tmp, reports."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name == "ledger.sqlite" for path in files)
    return [str(path) for path in files if SECRET.encode() in path.read_bytes()]


def test_the_key_is_in_nothing_that_a_run_leaves(clone: Clone, server: Running) -> None:
    """One run is refused by a server that quotes the key, another gets its answers."""
    done = clone.run("dvc", "repro", "--verbose", "llm_usage@responses")
    assert "Incorrect API key provided: Bearer ***" in done.stdout + done.stderr
    server.configure(key=KEY)
    said = [
        done.stdout + done.stderr,
        clone.ok("dvc", "repro", "--verbose", "llm_usage@responses"),
        clone.ok("alpacare", "quote"),
        clone.ok("alpacare", "report"),
        clone.ok("alpacare", "ledger", "export", "pack.jsonl"),
    ]
    assert any(KEY in key for key in server.state()["keys"]), "the server did get it"
    assert not [text for text in said if SECRET in text]
    assert files_with_key(clone.folder.parent) == []


def test_a_host_makes_nothing_run_again(clone: Clone) -> None:
    edit(clone, {"hosts: null": "hosts: [127.0.0.1]"})
    assert clone.repro("llm_usage@responses") == set()


def test_plain_dvc_repro_asks_no_other_host(clone: Clone, server: Running) -> None:
    edit(
        clone,
        {
            "hosts: [127.0.0.1]": "hosts: [llm.our-clinic.org]",
            "max_tokens: 1000": "max_tokens: 999",
        },
    )
    calls = server.state()["calls"]
    done = clone.run("dvc", "repro", "responses")
    assert done.returncode
    assert "hosts: '127.0.0.1' ($OPENAI_BASE_URL) is not among them" in done.stderr + done.stdout
    assert server.state()["calls"] == calls
