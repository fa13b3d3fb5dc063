"""Asking real servers: every row arrives, in order, and is paid for once, whatever goes wrong."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from asking import MODEL, questions
from loopback import Running, running
from loopback_replies import digest

from alpacare.core.errors import BadInput
from alpacare.llm.client import ask
from alpacare.llm.endpoints import Endpoint
from alpacare.llm.request import Request, complete
from alpacare.llm.usage import count_usage, report_usage

# the server's faults, 30 % of the calls, and the names under which they are counted
FAULTS = {
    "http_429": (0.01, "429"),  # few, and few hangs: these make a run slow
    "http_429_after": (0.01, "429"),
    "http_500": (0.04, "500"),
    "http_503": (0.04, "503"),
    "reset": (0.04, "connection lost"),
    "hang": (0.01, "timeout"),
    "truncated_json": (0.04, "broken body"),
    "empty_choices": (0.04, "broken body"),
    "wrong_type": (0.03, "broken body"),
    "error_in_200": (0.04, "error in a 200"),
}


@pytest.fixture(autouse=True)
def key_and_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("BUDGET", "10")


def expected(request: Request) -> str:
    """What the server answers to a request, if it is not configured otherwise."""
    return " ".join([digest(json.dumps(request.body))[:8]] * 8)


def reports() -> list[dict[str, Any]]:
    """The lines of runs.jsonl."""
    return [json.loads(line) for line in Path(".ledger/runs.jsonl").read_text().splitlines()]


def test_every_row_arrives_in_order_and_once_through_mixed_faults() -> None:
    faults = {kind: share for kind, (share, _) in FAULTS.items()}
    with running(latency=0.02, faults=faults) as server:
        asked = questions(Endpoint(base_url=server.url, timeout=2, in_flight=40), 120)
        answers = ask(asked)
        state = server.state()
    assert [answer.text for answer in answers] == [expected(request) for request in asked]
    assert sorted(state["served"].values()) == [1] * 120
    assert state["faults"].keys() == faults.keys()
    counted: Counter[str] = Counter()
    for kind, number in state["faults"].items():
        counted[FAULTS[kind][1]] += number
    assert reports()[0]["retries"] == counted
    assert count_usage(answers)["retries"] == counted


def test_duplicates_are_asked_once_and_a_second_ask_needs_no_server(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = questions(Endpoint(base_url=server.url), 20)
    doubled = [*reversed(asked), *asked]
    answers = ask(request for request in doubled)
    assert server.state()["calls"] == 20
    for name in ("OPENAI_API_KEY", "BUDGET"):
        monkeypatch.delenv(name)
    assert ask(doubled) == answers
    assert [answer.text for answer in answers] == [expected(request) for request in doubled]


def test_each_sample_has_its_own_answer(server: Running) -> None:
    (request,) = questions(Endpoint(base_url=server.url), 1)
    samples = [Request(request.endpoint, request.body, sample=n) for n in range(3)]
    assert len({answer.key for answer in ask(samples)}) == 3
    assert server.state()["calls"] == 3


def test_a_cut_off_answer_has_its_finish_reason(server: Running) -> None:
    server.configure(output_tokens=100)
    endpoint = Endpoint(base_url=server.url)
    cut, whole = ask([*questions(endpoint, 1), *questions(endpoint, 1, max_tokens=101)])
    assert (cut.finish_reason, whole.finish_reason) == ("length", "stop")
    assert reports()[0]["finish_reasons"] == {"length": 1, "stop": 1}


@pytest.mark.parametrize(("tokens", "reason"), [(50, "stop"), (300, "stop"), (500, "length")])
def test_a_cut_answer_is_asked_once_more_with_a_higher_limit(
    server: Running, tokens: int, reason: str
) -> None:
    """Ends below the first limit; below the higher one; above both, and then it stays cut."""
    again = tokens > 100
    server.configure(output_tokens=tokens)
    endpoint = Endpoint(base_url=server.url)
    asked = questions(endpoint, 5, retry_max_tokens=400)
    answers = ask(asked)
    assert server.state()["calls"] == 5 * (1 + again)
    bodies = [{**request.body, "max_tokens": 400 if again else 100} for request in asked]
    assert ask(asked) == answers
    assert server.state()["calls"] == 5 * (1 + again)
    assert {answer.finish_reason for answer in answers} == {reason}
    assert [answer.text for answer in answers] == [expected(Request(endpoint, b)) for b in bodies]
    firsts = [answer.cut for answer in answers if answer.cut]
    assert [first.text for first in firsts] == [expected(request) for request in asked if again]
    usage = count_usage(answers)
    assert usage["calls"] == 5 * (1 + again)
    assert usage["asked_again_with_more_room"] == 5 * again


@pytest.mark.parametrize(
    ("refusing", "refusal"),
    [
        ({"message": {"content": None, "refusal": "I can't\x00 help."}}, "I can't help."),
        ({"finish_reason": "content_filter"}, ""),
        ({"faults": {"content_filter": 1.0}}, ""),
    ],
    ids=["the model refuses", "the answer is filtered", "the prompt is filtered"],
)
def test_refusals_are_answers_and_are_counted(
    server: Running, refusing: dict[str, Any], refusal: str
) -> None:
    server.configure(**refusing)
    asked = questions(Endpoint(base_url=server.url), 3)
    answers = ask(asked)
    assert ask(asked) == answers
    assert server.state()["calls"] == 3
    assert all(answer.refused and answer.refusal == refusal for answer in answers)
    assert all(answer.said == (answer.text or refusal) for answer in answers)
    assert count_usage(answers)["refused"] == 3


def test_another_version_of_the_model_gives_a_warning(
    server: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    server.configure(drift_after=5)
    # one after the other: the server changes between two calls
    answers = ask(questions(Endpoint(base_url=server.url, in_flight=1), 10))
    report_usage(answers, len(answers), [], Path("usage.json"))
    usage = json.loads(Path("usage.json").read_text())
    assert usage["drift"]
    assert usage["models"] == {f"{MODEL}-2026-01-01": 5, f"{MODEL}-2026-02-02": 5}
    assert "warning: not all answers are from one version" in capsys.readouterr().err


def test_one_version_throughout_is_no_drift(
    server: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = ask(questions(Endpoint(base_url=server.url), 10))
    report_usage(answers, len(answers), [], Path("usage.json"))
    assert not json.loads(Path("usage.json").read_text())["drift"]
    assert "warning" not in capsys.readouterr().err


def test_several_servers_are_asked_in_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUDGE_KEY", "sk-judge")
    with running(key="sk-test") as first, running(key="sk-judge") as judge:
        endpoints = [
            Endpoint(base_url=first.url),
            Endpoint(base_url=judge.url, api_key="JUDGE_KEY"),
        ]
        asked = [questions(endpoint, 20) for endpoint in endpoints]
        mixed = [request for pair in zip(*asked, strict=True) for request in pair]
        answers = ask(mixed)
        assert [server.state()["calls"] for server in (first, judge)] == [20, 20]
    assert [answer.key for answer in answers] == [request.key() for request in mixed]


def test_an_azure_address_keeps_its_path_and_query(server: Running) -> None:
    server.configure(key="sk-test")
    address = f"http://127.0.0.1:{server.port}/openai/deployments/x?api-version=2024-06-01"
    ask(questions(Endpoint(base_url=address), 2))
    state = server.state()
    assert state["paths"] == ["/openai/deployments/x/chat/completions?api-version=2024-06-01"]
    assert "sk-test" in state["keys"], "the api-key header"


def test_base_models_are_asked_for_plain_completions(server: Running) -> None:
    endpoint = Endpoint(base_url=server.url)
    asked = [complete(endpoint, MODEL, f"Once upon {n}", max_tokens=50) for n in range(3)]
    answers = ask(asked)
    assert server.state()["paths"] == ["/v1/completions"]
    assert [answer.text for answer in answers] == [expected(request) for request in asked]


def test_answers_stay_known_when_the_server_moves() -> None:
    with running() as old:
        answers = ask(questions(Endpoint(base_url=old.url, identity="ours"), 5))
    with running() as new:
        assert ask(questions(Endpoint(base_url=new.url, identity="ours"), 5)) == answers
        assert new.state()["calls"] == 0
        ask(questions(Endpoint(base_url=new.url), 5))  # without a name it is another server
        assert new.state()["calls"] == 5


def test_the_environment_can_say_where_the_server_is(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    assert len(ask(questions(Endpoint(base_url=None), 5))) == 5


def test_one_request_that_is_rejected_does_not_hold_up_the_rest(server: Running) -> None:
    server.configure(faults={"http_400": 0.05})
    asked = questions(Endpoint(base_url=server.url), 60)
    with pytest.raises(BadInput) as error:
        ask(asked)
    rejected = server.state()["faults"]["http_400"]
    assert server.state()["calls"] == 60, "a 400 is not tried again"
    assert f"{rejected} requests got no answer: q" in str(error.value)
    assert f"{60 - rejected} of 60 answers are in the ledger" in str(error.value)
    server.configure(faults={})
    assert len(ask(asked)) == 60
    assert server.state()["calls"] == 60 + rejected


def test_a_server_that_rejects_everything_is_not_asked_everything(server: Running) -> None:
    server.configure(faults={"http_400": 1.0})
    endpoint = Endpoint(base_url=server.url, in_flight=5)
    with pytest.raises(BadInput, match=r"rejects the requests: q\d+: 400, A fault of kind"):
        ask(questions(endpoint, 99))
    assert server.state()["calls"] < 30
