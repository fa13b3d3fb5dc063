"""The figures of the benches by machine: pages quote their range over the machines.

A bench prints its figures beside those in results.json and changes no file. With `--save` it
replaces its own entry of this machine there and keeps those of other machines.
"""

import json
import os
import platform
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, TypedDict

import click
from rich.console import Console
from rich.table import Column, Table

PATH = Path(__file__).with_suffix(".json")
NUMBERS = ("no machine", "one machine", "two machines", "three machines", "four machines")
Figures = dict[str, float]  # value by name and unit: {"52,000 rows, s": 1.66}

save_option = click.option(
    "--save", is_flag=True, help="Replace this machine's entry in bench/results.json."
)


class Entry(TypedDict):
    """What one machine measured."""

    date: str
    figures: Figures


def read() -> dict[str, dict[str, Entry]]:
    """Entries by bench and machine."""
    return dict(json.loads(PATH.read_text())) if PATH.exists() else {}


def values(bench: str, figure: str) -> list[float]:
    """One figure's values, one for each machine that has it."""
    entries = read().get(bench, {}).values()
    return [entry["figures"][figure] for entry in entries if figure in entry["figures"]]


def span(numbers: list[float], form: str = ",.6g") -> str:
    """Lowest to highest, in a number format; one number where both read the same."""
    ends = format(min(numbers), form), format(max(numbers), form)
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def machines(numbers: list[float]) -> str:
    """How many machines have a figure, in words."""
    count = len(numbers)
    return NUMBERS[count] if count < len(NUMBERS) else f"{count} machines"


def noise(rounds: list[dict[str, float]]) -> float:
    """How far this machine's own rates go apart when nothing changes, in %.

    For each way the distance of its best from its worst round, of its median; the largest of these.
    `rounds`: rates or seconds by way, two rounds at least. A ratio that is off 1 by less says
    nothing.
    """
    by_way = [[each[way] for each in rounds] for way in rounds[0]]
    return round(max(100 * (max(each) - min(each)) / median(each) for each in by_way), 1)


def describe_noise(percent: float) -> str:
    """Say the noise in a line under a table of ratios."""
    return f"this machine's own noise: the same work differed by up to {percent:g} % between rounds"


def run_ways(
    ways: Sequence[str], run: Callable[[str], dict[str, Any]]
) -> tuple[list[dict[str, Any]], str]:
    """Run each way, and the first one again at the end; their lines, and the noise in words."""
    lines = [run(way) for way in [*ways, ways[0]]]
    again = lines.pop()
    if "failed" in lines[0] or "failed" in again:
        return lines, "this machine's own noise is not known: the first way failed"
    rates = [{"rate": float(line["tokens_per_second"])} for line in (lines[0], again)]
    return lines, describe_noise(noise(rates))


def report(bench: str, figures: Figures, save: bool, device: str = "") -> None:
    """Print figures beside the kept ones; with `save`, keep them as this machine's or device's."""
    table = Table(bench, Column("here", justify="right"), "kept, lowest to highest", "of")
    for figure, value in figures.items():
        kept = values(bench, figure)
        cells = (span(kept), machines(kept)) if kept else ("", "")
        table.add_row(figure, format(value, ",.6g"), *cells)
    Console().print(table)
    if save:
        write(bench, figures, device or machine())


def write(bench: str, figures: Figures, name: str) -> None:
    """Replace one machine's entry of one bench; benches and machines stand in order of name."""
    results = read()
    entry = Entry(date=time.strftime("%Y-%m-%d"), figures=figures)
    results[bench] = dict(sorted((results.get(bench, {}) | {name: entry}).items()))
    PATH.write_text(json.dumps(dict(sorted(results.items())), indent=1) + "\n")
    print(f"{PATH.name}: {bench} on {name} saved; `make test` names the pages to change")


def report_gpu(bench: str, lines: list[dict[str, Any]], save: bool) -> None:
    """The same for the ways that ran on a GPU, by its name; a failed way has no figures."""
    figures, device = {}, ""
    for line in lines:
        if "failed" not in line:
            figures[f"{line['way']}, tokens/s"] = line["tokens_per_second"]
            figures[f"{line['way']}, peak GB"] = line["peak_gb"]
            if line.get("utilisation"):
                figures[f"{line['way']}, % of the peak"] = round(100 * line["utilisation"], 1)
            device = line["device"]
    report(bench, figures, save and bool(figures), device)


def machine() -> str:
    """Name this machine by its processor and cores."""
    name = re.sub(r"\((R|TM)\)|\bCPU\b|@.*", "", _processor())
    return f"{' '.join(name.split())}, {os.cpu_count()} cores"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.split(":", 1)[1] for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


class OtherLoad:
    """What other processes of this machine work, from when this is made (Linux only)."""

    def __init__(self) -> None:
        self.start, self.before = time.monotonic(), _cpu_seconds_of_others()

    def describe(self) -> str:
        """Say how many cores they took so far."""
        seconds = _cpu_seconds_of_others() - self.before
        cores = round(seconds / (time.monotonic() - self.start), 2)
        return f"other processes took {cores} cores meanwhile: rates hold where that is almost none"


def _cpu_seconds_of_others() -> float:
    ticks = [int(field) for field in Path("/proc/stat").read_text().split("\n")[0].split()[1:8]]
    busy = sum(ticks[:3] + ticks[5:])  # the two between are idle time
    return busy / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])
