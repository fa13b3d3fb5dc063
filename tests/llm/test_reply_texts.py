"""What no text should hold goes from a reply's text; the ledger keeps the reply as it came."""

import pytest
from asking import questions
from loopback import Running

from alpacare.llm.client import ask
from alpacare.llm.endpoints import Endpoint
from alpacare.llm.ledger import Ledger, default_path
from alpacare.llm.maintenance import intact_entries
from alpacare.llm.usage import count_usage


@pytest.mark.parametrize(
    ("sent", "read"),
    [("\x1b[2JOutput\x00 (a)\x9b", "Output (a)\u203a"), ("\u200b \ufeff\u2060", "")],
)
def test_control_and_invisible_characters_are_read_as_what_they_show(
    server: Running, monkeypatch: pytest.MonkeyPatch, sent: str, read: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("BUDGET", "10")
    server.configure(text=sent)
    asked = questions(Endpoint(base_url=server.url), 2)
    for _ in range(2):  # from the server, then from the ledger
        answers = ask(asked)
        assert [answer.text for answer in answers] == [read, read]
        assert count_usage(answers)["warnings"] == {"control or invisible characters": 2}
    with Ledger(default_path()) as ledger:
        entry = next(intact_entries(ledger))
    assert entry.response["choices"][0]["message"]["content"] == sent
