"""A reply far beyond `max_tokens` is cut, counted, and whole in the ledger."""

import json
from pathlib import Path

import pytest
from asking import questions
from loopback import Running

from alpacare.llm.client import ask
from alpacare.llm.endpoints import Endpoint
from alpacare.llm.ledger import Ledger, default_path
from alpacare.llm.overlong import OVERLONG
from alpacare.llm.usage import count_usage

LONG = "palpitations " * 30_000


@pytest.mark.parametrize("mode", ["online", "batch"])
def test_a_reply_far_beyond_its_limit_is_cut_and_counted(
    server: Running, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("BUDGET", "10")
    server.configure(text=LONG)
    asked = questions(Endpoint(base_url=server.url, mode=mode), 2, max_tokens=100)
    answers = ask(asked)
    assert [answer.text for answer in answers] == [LONG[:1600]] * 2
    usage = count_usage(answers)
    assert (usage["warnings"], usage["finish_reasons"]) == ({OVERLONG: 2}, {"length": 2})
    (line,) = Path(".ledger/runs.jsonl").read_text().splitlines()
    assert json.loads(line)["warnings"] == {OVERLONG: 2}
    with Ledger(default_path()) as ledger:
        stored = ledger.entry(asked[0].key()).response["choices"][0]["message"]["content"]
    assert stored == LONG, "as it came"
    assert ask(asked) == answers
    assert (
        ask(questions(Endpoint(base_url=server.url, mode=mode), 2, max_tokens=40_000))[0].text
        == LONG
    )
