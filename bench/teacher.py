"""How fast the teacher client asks: beside the bare client, the server's ideal, a lock-step loop.

    python bench/teacher.py

Two minutes on two idle cores, against tests/loopback.py at 200 ms latency; every answer is checked
its speed counts. Exits 1 if a target is missed.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import click
import results
from httpx2 import Limits
from openai import AsyncOpenAI, DefaultAioHttpClient
from rich.console import Console
from rich.table import Table

from alpacare.llm.cache_pack import Entry
from alpacare.llm.client import ask
from alpacare.llm.endpoints import RECORDINGS, Endpoint
from alpacare.llm.ledger import Ledger
from alpacare.llm.reply import Call
from alpacare.llm.request import Request, chat

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from loopback import Running, running
from loopback_server import Config, Loopback

ROUNDS = 3
SERVER = Config(latency=0.2, words=100)
MODEL = "gpt-4o-mini"
FIVE = 5  # calls that the upstream way has in flight, in lock-step
HITS = 52_000
State = Line = dict[str, Any]
AT_MOST = (", s", ", MB")  # units of which less is better
PADDING = "A patient asks what may help. " * 20  # makes prompts of about 600 characters


def questions(endpoint: Endpoint, name: str, count: int) -> Iterator[Request]:
    for number in range(count):
        message = {"role": "user", "content": f"{PADDING}{name} {number}"}
        yield chat(endpoint, MODEL, [message], max_tokens=300)


def ours(requests: list[Request]) -> list[str]:
    """Ask with an empty ledger, a budget and the limiter."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DVC_ROOT"] = folder
        return [answer.text for answer in ask(requests)]


async def bare(requests: list[Request], at_once: int) -> list[str]:
    """Ask with a semaphore and nothing else: so many, and the next when all are answered."""
    endpoint, most = requests[0].endpoint, requests[0].endpoint.in_flight
    slots = asyncio.Semaphore(most)
    limits = Limits(max_connections=most, max_keepalive_connections=most)
    http = DefaultAioHttpClient(limits=limits)

    async def one(request: Request) -> str:
        async with slots:
            reply = await client.chat.completions.create(**request.body)
            return str(reply.choices[0].message.content)

    texts = []
    key, url = endpoint.read_key(), endpoint.address
    async with AsyncOpenAI(base_url=url, api_key=key, max_retries=0, http_client=http) as client:
        for start in range(0, len(requests), at_once):
            some = requests[start : start + at_once]
            texts += await asyncio.gather(*(one(request) for request in some))
    return texts


WAYS = {
    "ours": ours,
    "bare": lambda requests: asyncio.run(bare(requests, len(requests))),
    "lock step": lambda requests: asyncio.run(bare(requests, FIVE)),
}


# way, in flight, calls: so many that the first and the last 200 ms weigh little
RUNS = [("bare", 200, 5000), ("ours", 200, 5000), ("ours", 100, 9000), ("lock step", FIVE, 75)]


@dataclass
class Run:
    """One timed run."""

    way: str
    in_flight: int
    rate: float  # answers a second, from the first line of the way to its last
    ideal: float  # the same, if each call took the time that its handler took


def measure(server: Running, way: str, in_flight: int, count: int, name: str) -> Run:
    endpoint = Endpoint(base_url=server.url, in_flight=in_flight)
    requests = list(questions(endpoint, f"{way} {in_flight} {name}", count))
    before = server.state()
    start = time.perf_counter()
    texts = WAYS[way](requests)
    seconds = time.perf_counter() - start
    after = server.state()
    check(requests, texts, before, after)
    ideal = in_flight * count / (after["handler_seconds"] - before["handler_seconds"])
    return Run(way, in_flight, round(count / seconds, 1), round(ideal, 1))


def check(requests: list[Request], texts: list[str], before: State, after: State) -> None:
    """Every answer is there, in its place, and every request was served exactly once."""
    server = Loopback(SERVER)
    for request, text in zip(requests, texts, strict=True):
        reply = server.answer(request.body, request.path)
        assert text == reply["choices"][0]["message"]["content"], request.body
    assert len(after["served"]) - len(before["served"]) == len(requests)
    assert set(after["served"].values()) == {1}
    assert after["calls"] - before["calls"] == len(requests)


def measure_all() -> list[list[Run]]:
    """Alternate the ways, in turned order every other round."""
    rounds = []
    with running(**asdict(SERVER)) as server:
        for way in WAYS:
            measure(server, way, 20, 60, "imports and other first times")
        for number in range(ROUNDS):
            order = RUNS[:: -1 if number % 2 else 1]
            rounds.append([measure(server, *each, f"round {number}") for each in order])
    return rounds


def recorded(words: random.Random) -> Iterator[Entry]:
    """Entries as a run leaves them, with answers of about 1,000 characters."""
    server = Loopback(Config(words=0))
    for request in questions(RECORDINGS, "recorded", HITS):
        response = server.answer(request.body, request.path)
        text = " ".join(f"word{words.randrange(10_000):04}" for _ in range(111))
        response["choices"][0]["message"]["content"] = text
        yield Entry(
            key=request.key(),
            request=request.content(),
            response=response,
            received="2026-01-31T12:00:00Z",
            price=0.0001,
            call=Call(seconds=1.234, prices="genai-prices"),
        )


def replay() -> None:
    """Ask what the ledger in DVC_ROOT holds, and print seconds and peak memory."""
    start = time.perf_counter()
    answers = ask(questions(RECORDINGS, "recorded", HITS))
    seconds = time.perf_counter() - start
    # not getrusage: its peak begins with that of the process that started this one
    lines = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    peak = int(lines["VmHWM"].split()[0]) * 1024 / 1e6
    assert [a.text for a in answers] == [
        entry.response["choices"][0]["message"]["content"] for entry in recorded(random.Random(0))
    ]
    print(json.dumps({"seconds": round(seconds, 2), "megabytes": round(peak)}))


def measure_replay() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        with Ledger(Path(folder) / ".ledger/ledger.sqlite") as ledger:
            ledger.import_entries(recorded(random.Random(0)))
        command = [sys.executable, __file__, "--replay"]
        output = subprocess.check_output(command, env={**os.environ, "DVC_ROOT": folder})
    return dict(json.loads(output))


def line(figure: str, values: list[float], target: float, rates: str = "") -> Line:
    """One line of the table: a value of each round, and the target of their median."""
    middle = round(median(values), 2)
    reached = middle <= target if figure.endswith(AT_MOST) else middle >= target
    return {
        "figure": figure,
        "answers_per_second": rates,
        "values": values,
        "median": middle,
        "target": target,
        "reached": reached,
    }


def compare(figure: str, pairs: list[tuple[float, float]], target: float) -> Line:
    """Two rates of each round; their ratio in % or as it is."""
    scale = 100 if "%" in figure else 1
    ratios = [round(scale * ours / other, 1) for ours, other in pairs]
    rates = " / ".join(f"{median(rates):.0f}" for rates in zip(*pairs, strict=True))
    return line(figure, ratios, target, rates)


def summarise(rounds: list[list[Run]], hits: dict[str, float]) -> list[Line]:
    runs = [{(run.way, run.in_flight): run for run in each} for each in rounds]
    to_bare = [(each["ours", 200].rate, each["bare", 200].rate) for each in runs]
    to_ideal = [(each["ours", 100].rate, each["ours", 100].ideal) for each in runs]
    to_five = [(each["ours", 200].rate, each["lock step", FIVE].rate) for each in runs]
    return [
        compare("200 in flight, % of the bare client", to_bare, 85),
        compare("100 in flight, % of the ideal", to_ideal, 90),
        compare("200 in flight, times lock step", to_five, 20),
        line(f"{HITS:,} ledger hits, s", [hits["seconds"]], 10),
        line(f"{HITS:,} ledger hits, MB", [hits["megabytes"]], 300),
    ]


def show(lines: list[Line]) -> None:
    table = Table("", "answers/s", "median", "range", "target", "")
    for each in lines:
        values = each["values"]
        table.add_row(
            each["figure"],
            each["answers_per_second"],
            f"{each['median']:g}",
            f"{min(values):g} to {max(values):g}" if len(values) > 1 else "",
            f"{'<=' if each['figure'].endswith(AT_MOST) else '>='} {each['target']}",
            "[green]reached" if each["reached"] else "[red]missed",
        )
    Console().print(table)


@click.command()
@click.option("--replay", "replaying", is_flag=True, hidden=True)
@results.save_option
def main(replaying: bool, save: bool) -> None:
    """Measure the teacher client against a server on loopback."""
    if replaying:
        return replay()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    os.environ |= {"OPENAI_API_KEY": "sk-of-no-one", "BUDGET": "1000"}
    load = results.OtherLoad()
    rounds = measure_all()
    lines = summarise(rounds, measure_replay())
    show(lines)
    rates = [{f"{run.way}, {run.in_flight}": run.rate for run in each} for each in rounds]
    noise = results.noise(rates)
    print(results.describe_noise(noise))
    print(load.describe())
    measured = {each["figure"]: each["median"] for each in lines} | {"noise, %": noise}
    results.report("teacher", measured, save)
    sys.exit(not all(each["reached"] for each in lines))


if __name__ == "__main__":
    main()
