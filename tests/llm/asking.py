"""Questions for the tests of the LLM client, asked here or in a process that may be killed."""

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from loopback import Running

from alpacare.core.errors import BadInput
from alpacare.llm.cache_pack import Entry
from alpacare.llm.client import ask
from alpacare.llm.endpoints import Endpoint
from alpacare.llm.ledger import Ledger, default_path
from alpacare.llm.reply import Answer
from alpacare.llm.request import Request, chat
from alpacare.llm.reservations import Reservations, Spending

MODEL = "gpt-4o-mini"  # one that the price table knows
_FORKS = multiprocessing.get_context("forkserver")  # starts in milliseconds: all is imported
_FORKS.set_forkserver_preload(
    ["aiohttp", "alpacare.llm.client", "genai_prices.data", "httpcore2", "openai", "pytest"]
)


def questions(endpoint: Endpoint, count: int, **sampling: Any) -> list[Request]:
    """So many different requests."""
    sampling = {"model": MODEL, "max_tokens": 100, **sampling}
    return [
        chat(
            endpoint,
            messages=[{"role": "user", "content": f"question {n}"}],
            label=f"q{n}",
            **sampling,
        )
        for n in range(count)
    ]


def ask_elsewhere(requests: list[Request], log: Path = Path("log.txt")) -> BaseProcess:
    """Start a process that asks, with this one's environment; its output goes to a file."""
    names = ("OPENAI_API_KEY", "BUDGET", "DVC_ROOT", "ALPACARE_LEDGER")
    environment = {name: os.environ[name] for name in names if name in os.environ}
    log.touch()  # for readers that come first
    process = _FORKS.Process(target=_ask, args=(requests, environment, log))
    process.start()
    return process


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def contents(answers: list[Answer]) -> list[tuple[str, str, str, str]]:
    """What a stage reads of answers."""
    return [(each.key, each.text, each.finish_reason, each.model) for each in answers]


def billed_twice(server: Running) -> int:
    """Calls that the server answered, and so billed, more than once."""
    return sum(times - 1 for times in server.state()["served"].values())


def spending() -> Spending:
    """The dollars that the ledger in this folder has paid and reserved."""
    with Ledger(default_path()) as ledger:
        return Reservations(ledger).spending()


def stored() -> int:
    """Number of answers in the ledger, after a check of every page and entry."""
    with Ledger(default_path()) as ledger:
        assert ledger.connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        keys = [entry.key for entry in ledger.entries()]
        assert all(ledger.get(key) for key in keys)
    return len(keys)


def entry(request: Request) -> Entry:
    """An answer as an entry of a ledger or a pack."""
    choice = {"message": {"content": f"answer to {request.label}"}, "finish_reason": "stop"}
    return Entry(
        key=request.key(),
        request=request.content(),
        response={"model": "m", "choices": [choice]},
        received="2026-01-01T00:00:00Z",
        price=0.5,
    )


def _ask(requests: list[Request], environment: dict[str, str], log: Path) -> None:
    os.environ.update(environment)
    sys.stderr = log.open("a", buffering=1)
    try:
        ask(requests)
    except (BadInput, KeyboardInterrupt) as error:
        sys.exit(str(error))
