"""Stage `server_generations`, against `transformers serve`, which nobody here wrote."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from answerers import answer, fail, make_checkpoint, make_tests
from serving import Server, serving

from alpacare.records.generation import Generation
from alpacare.stages.server_generations import served_name

pytestmark = pytest.mark.slow

TESTS = make_tests(12)


@pytest.fixture(scope="module", params=[False, True], ids=["alpaca", "chat"])
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("model") / "checkpoint", chat=request.param)


@pytest.fixture(scope="module")
def server(checkpoint: Path) -> Iterator[Server]:
    name = served_name(checkpoint)
    (checkpoint.parent / name).symlink_to(checkpoint.name)
    with serving(checkpoint.parent, name) as running:
        yield running


def ours(server: Server) -> dict[str, object]:
    """A server of one's own: no key, and no BUDGET is needed for what is free."""
    mine = {"base_url": server.url, "api_key": None, "in_flight": 4}
    return {"engines": [], "servers": ["mine"], "endpoints": {"mine": mine}}


def plain(records: list[Generation]) -> list[tuple[str, str, str]]:
    return [(record.id, record.output, record.finish_reason) for record in records]


def test_answers_are_those_of_batched_and_paid_for_once(server: Server, checkpoint: Path) -> None:
    here = answer(checkpoint, TESTS, "here")
    before = server.calls()
    there = answer(checkpoint, TESTS, "there", **ours(server))
    assert server.calls() == before + len(TESTS)
    assert plain(there) == plain(here)
    assert [record.tokens for record in there] == [record.tokens for record in here]
    assert answer(checkpoint, TESTS, "there", **ours(server)) == there
    assert server.calls() == before + len(TESTS)
    run = json.loads(Path("there.json").read_text())
    assert (run["engine"], run["exact"]) == ("server", False)
    assert run["models"][0].startswith(served_name(checkpoint))


def test_a_server_with_other_weights_refuses(server: Server, tmp_path: Path) -> None:
    """A retrained checkpoint has another name, so yesterday's server cannot answer for it."""
    retrained = make_checkpoint(tmp_path / "new", seed=2)
    line = fail(retrained, TESTS, **ours(server))
    assert served_name(retrained) in line
