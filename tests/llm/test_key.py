"""The API key goes to the server that it is for, and nowhere else."""

import subprocess
from pathlib import Path

import pytest
from asking import questions, wait_until
from loopback import Running, running
from staging import start_stage

from alpacare.core.errors import BadInput
from alpacare.llm.client import ask
from alpacare.llm.endpoints import Endpoint

KEY = "sk-recognisable-7f3a9c51"
SECRET = "recognisable"  # no part of it either


@pytest.fixture(autouse=True)
def key_and_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("BUDGET", "10")


def run_stage(server: Running, *options: str) -> tuple[int, str]:
    """Run a stage against the server; give its status and everything that it printed and wrote."""
    stage = start_stage(20, *options, base_url=server.url, in_flight=5)
    wait_until(lambda: server.state()["calls"] > 0 or stage.poll() is not None)
    seen = Path(f"/proc/{stage.pid}/cmdline").read_text() if stage.poll() is None else ""
    seen += subprocess.run(["ps", "-ef"], capture_output=True, text=True, check=True).stdout
    seen += "".join(stage.communicate(timeout=60))
    files = [path for path in Path.cwd().rglob("*") if path.is_file()]
    assert any(path.name == "ledger.sqlite" for path in files)
    return stage.returncode, seen + "".join(path.read_text(errors="replace") for path in files)


def test_a_run_that_succeeds_leaves_no_key_behind(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client library logs all that it does, and still not the key."""
    monkeypatch.setenv("OPENAI_LOG", "debug")
    server.configure(latency=0.2, key=KEY)
    status, seen = run_stage(server)
    assert any(KEY in key for key in server.state()["keys"]), "the server did get it"
    assert status == 0
    assert "20 responses" in seen
    assert "Sending HTTP Request" in seen
    assert SECRET not in seen


@pytest.mark.parametrize("debug", [False, True], ids=["a line", "the traceback"])
def test_a_refused_key_is_not_repeated(server: Running, debug: bool) -> None:
    """The server quotes the key in its 401, as vendors do."""
    server.configure(key="sk-another")
    status, seen = run_stage(server, *(["--debug"] if debug else []))
    assert status == (1 if debug else 2)
    assert ("Traceback" in seen) == debug
    assert "Incorrect API key provided: Bearer ***" in seen
    assert SECRET not in seen


def test_a_key_in_a_file_does_as_well(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    Path(".env").write_text(f"OPENAI_API_KEY={KEY}\n")
    server.configure(key=KEY)
    assert len(ask(questions(Endpoint(base_url=server.url), 5))) == 5


@pytest.mark.parametrize("key", ["sk-é", "sk-“quoted”", "sk-two\nlines"])
def test_a_key_that_no_header_can_carry_is_named(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with running() as server, pytest.raises(BadInput) as error:
        ask(questions(Endpoint(base_url=server.url), 2))
    assert "OPENAI_API_KEY" in str(error.value)
    assert key not in str(error.value)


def test_a_server_that_wants_no_key_is_sent_none(server: Running) -> None:
    ask(questions(Endpoint(base_url=server.url, api_key=None), 2))
    assert not any(SECRET in key for key in server.state()["keys"])
