"""`hosts` in params.yaml: no request leaves for another one, whatever names the server."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, run
from loopback import Running
from staging import OUTS, write_inputs

from alpacare.stages.responses import main as responses


@pytest.fixture(autouse=True)
def key_and_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("BUDGET", "10")


def answer(hosts: Any, **endpoint: Any) -> tuple[int, str]:
    """Run the stage as DVC does; give its status and what it said."""
    write_inputs(5, endpoint)
    params = json.loads(Path("params.yaml").read_text())
    Path("params.yaml").write_text(json.dumps({"hosts": hosts, **params}))
    out, dropped, usage = OUTS
    files = ("tasks.jsonl", out, "--dropped", dropped, "--usage", usage)
    done = run(responses, *files, "--prompt", REPOSITORY / "prompts/responses")
    return done.exit_code, done.output.strip()


@pytest.mark.parametrize("hosts", [[], ["api.openai.com"], ["localhost", "27.0.0.1", "127.0.0.11"]])
@pytest.mark.parametrize(
    ("setting", "more"),
    [("base_url", {}), ("$OPENAI_BASE_URL", {}), ("base_url", {"mode": "batch"})],
)
def test_nothing_is_sent_to_a_host_that_is_not_named(
    server: Running,
    monkeypatch: pytest.MonkeyPatch,
    hosts: list[str],
    setting: str,
    more: dict[str, str],
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    url = server.url if setting == "base_url" else None
    status, said = answer(hosts, base_url=url, **more)
    assert status == 2
    assert f"hosts: '127.0.0.1' ({setting}) is not among them" in said
    assert len(said.splitlines()) == 1
    assert not Path(OUTS[0]).exists()
    state = server.state()
    assert (state["calls"], state["files"], state["batches"]) == (0, 0, 0)


@pytest.mark.parametrize("hosts", [None, ["127.0.0.1"], ["api.openai.com", "127.0.0.1."]])
def test_a_host_that_is_named_is_asked(server: Running, hosts: list[str] | None) -> None:
    assert answer(hosts, base_url=server.url)[0] == 0
    assert server.state()["calls"] == 5


def test_a_proxy_that_would_read_along_must_be_named(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", server.url.replace("127.0.0.1", "localhost"))
    status, said = answer(["llm.our-clinic.org"], base_url="http://llm.our-clinic.org/v1")
    assert status == 2
    assert "hosts: 'localhost' ($HTTP_PROXY) is not among them" in said
    assert server.state()["calls"] == 0
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert answer(["127.0.0.1"], base_url=server.url)[0] == 0, "which no proxy sees"


def test_what_the_ledger_has_needs_no_host(server: Running) -> None:
    assert answer(None, base_url=server.url)[0] == 0
    assert answer([], base_url=server.url)[0] == 0


@pytest.mark.parametrize(
    "name", ["https://api.openai.com", "api.openai.com/v1", "127.0.0.1:80", ""]
)
def test_what_is_no_name_of_a_host_is_refused(server: Running, name: str) -> None:
    status, said = answer([name], base_url=server.url)
    assert status == 2
    assert "params.yaml: hosts.0: write names of hosts only" in said
    assert server.state()["calls"] == 0


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1\\@api.openai.com/v1",
        "http://api.openai.com@127.0.0.1/v1",
        "http://127.0.0.1\uff052f.api.openai.com/v1",
        "http://\uff41pi.openai.com/v1",
    ],
)
def test_addresses_that_libraries_read_differently_are_refused(address: str) -> None:
    status, said = answer(["api.openai.com"], base_url=address)
    assert status == 2
    assert "base_url" in said
    assert address not in said
