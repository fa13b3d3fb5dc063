"""No request follows a redirect: text and keys go to the server that the settings name."""

import pytest
from asking import questions, spending
from loopback import Running, running

from alpacare.core.errors import BadInput
from alpacare.llm.client import ask
from alpacare.llm.endpoints import Endpoint

AZURE = "/openai/deployments/x?api-version=2024-06-01"


@pytest.fixture(autouse=True)
def key_and_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("BUDGET", "10")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("path", ["/v1", AZURE])
def test_a_call_stays_with_its_server(server: Running, path: str, status: int) -> None:
    with running() as other:
        where = f"http://127.0.0.1:{other.port}"
        server.configure(redirect=where, redirect_status=status)
        endpoint = Endpoint(base_url=f"http://127.0.0.1:{server.port}{path}", in_flight=2)
        with pytest.raises(BadInput) as error:
            ask(questions(endpoint, 20))
        assert_refused(str(error.value), where, other)
        assert server.state()["calls"] <= 2, "no use in asking on"
        assert spending().upper_bound == 0, "nothing was answered"


@pytest.mark.parametrize("where", ["https://127.0.0.1:1", "//elsewhere.invalid", "http://[", ""])
def test_other_schemes_and_hosts_and_addresses_that_are_none(server: Running, where: str) -> None:
    server.configure(redirect=where)
    with pytest.raises(BadInput, match=rf"{server.url} answers 307 and sends on to .*base_url"):
        ask(questions(Endpoint(base_url=server.url), 1))


@pytest.mark.parametrize("path", ["/v1/files", "/v1/batches", "/v1/files/file-2"])
def test_a_batch_stays_with_its_server(server: Running, path: str) -> None:
    """Upload, creation (and whether it is done), download."""
    with running() as other:
        where = f"http://127.0.0.1:{other.port}"
        server.configure(redirect=where, redirect_from=path)
        asked = questions(Endpoint(base_url=server.url, mode="batch"), 3)
        with pytest.raises(BadInput) as error:
            ask(asked)
        assert_refused(str(error.value), where, other)
    sent = server.state()["batches"]
    server.configure(redirect=None)
    assert len(ask(asked)) == 3, "a batch under way is not lost"
    assert server.state()["batches"] == 1 >= sent


def assert_refused(message: str, where: str, other: Running) -> None:
    assert f"sends on to {where}, where nothing is sent" in message
    assert "base_url" in message
    assert "\n" not in message
    state = other.state()
    assert (state["calls"], state["keys"], state["files"], state["batches"]) == (0, [], 0, 0)
