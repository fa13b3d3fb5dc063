"""How long the embedded default takes, stage by stage, in a fresh clone with an empty cache.

    python bench/pipeline.py

The target: at most 180 s on two cores, and under 4 s for a second run, which does nothing.
"""

import os
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import click
import results
from rich.console import Console
from rich.table import Table

REPOSITORY = Path(__file__).parents[1]


def clone(folder: Path) -> dict[str, str]:
    """Clone the last commit into a folder; the environment to run it in."""
    subprocess.run(["git", "clone", "-q", REPOSITORY, folder / "clone"], check=True)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {
        **os.environ,
        "PATH": path,
        "PYTHONPATH": str(folder / "clone/src"),
        "DVC_SITE_CACHE_DIR": str(folder / "site-cache"),
    }


def repro(folder: Path, environment: dict[str, str]) -> dict[str, float]:
    """Run `dvc repro` and give the seconds from each stage's first line to the next one's."""
    process = subprocess.Popen(
        ["dvc", "repro"],
        cwd=folder / "clone",
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    marks = [("dvc starts", time.monotonic())]
    for line in process.stdout:
        if line.startswith("Running stage"):
            marks.append((line.split("'")[1], time.monotonic()))
    assert process.wait() == 0
    marks.append(("", time.monotonic()))
    pairs = pairwise(marks)
    return {name: round(after - start, 1) for (name, start), (_, after) in pairs}


@click.command()
@results.save_option
def main(save: bool) -> None:
    """Measure the demo in a fresh clone of the last commit."""
    with tempfile.TemporaryDirectory() as name:
        environment = clone(Path(name))
        first = repro(Path(name), environment)
        second = sum(repro(Path(name), environment).values())
    table = Table("stage", "seconds")
    for stage, seconds in first.items():
        table.add_row(stage, f"{seconds:.1f}")
    Console().print(table)
    figures = {
        "first run, s": round(sum(first.values()), 1),
        "second run, s": round(second, 1),
    }
    results.report("pipeline", figures, save)


if __name__ == "__main__":
    main()
