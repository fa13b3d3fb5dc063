"""Training beside something else that wants a core: how its threads wait decides how fast it is.

    make demo
    python bench/busy.py

Trains the demo's student on a few answers, alone and beside one process that never rests, with GNU
OpenMP's own number of turns that a thread spins before it sleeps (300,000) and with ours, in turn.
The weights must be the same. Prints a table, writes bench/busy.json.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from statistics import mean

from rich.console import Console
from rich.table import Table

from alpacare.compute.workers import SPINS

HERE = Path(__file__).parents[1]
ROUNDS = 2
ANSWERS = 30  # enough: in one way they take a minute
WAYS = {"OpenMP's own": "300000", "ours": SPINS}
PLACES = {"alone": False, "beside another": True}  # whether the machine is busy
STAGE = [
    *(sys.executable, "-m", "alpacare.stages.checkpoint", "data/responses.jsonl", "checkpoint"),
    *("--prompt", "prompts/student", "--hardware", "configs/accelerate/cpu.yaml"),
]


@contextmanager
def beside(busy: bool) -> Iterator[None]:
    """With a process that takes a whole core, or without."""
    other = subprocess.Popen([sys.executable, "-c", "while True: pass" if busy else ""])
    try:
        yield
    finally:
        other.kill()
        other.wait()


def train(folder: Path, spins: str) -> tuple[float, str]:
    """Train; give tokens a second, and the weights' hash."""
    environment = os.environ | {"GOMP_SPINCOUNT": spins}
    done = subprocess.run(
        STAGE, cwd=folder, env=environment, check=True, capture_output=True, text=True
    )
    told = re.search(r"([0-9,]+) tokens/s", done.stdout)
    assert told, done.stdout
    weights = (folder / "checkpoint/model.safetensors").read_bytes()
    return float(told[1].replace(",", "")), hashlib.sha256(weights).hexdigest()


def main() -> None:
    rates: dict[str, list[float]] = {}
    hashes = set()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for entry in ("dvc.yaml", "prompts", "configs"):
            (folder / entry).symlink_to(HERE / entry)
        answers = (HERE / "data/responses.jsonl").read_text().splitlines(keepends=True)
        (folder / "data").mkdir()
        (folder / "data/responses.jsonl").write_text("".join(answers[:ANSWERS]))
        params = (HERE / "params.yaml").read_text()
        (folder / "params.yaml").write_text(params.replace("epochs: 5 ", "epochs: 1 "))
        for where, _, way in product(PLACES, range(ROUNDS), WAYS):
            with beside(PLACES[where]):
                rate, weights = train(folder, WAYS[way])
            rates.setdefault(f"{way}, {where}", []).append(rate)
            hashes.add(weights)
    assert len(hashes) == 1, "how threads wait must change no bit"
    table = Table("threads wait", "tokens/s", "lowest and highest")
    for what, found in rates.items():
        table.add_row(what, f"{mean(found):,.0f}", f"{min(found):,.0f} to {max(found):,.0f}")
    Console().print(table)
    means = {what: mean(found) for what, found in rates.items()}
    result = {
        "tokens_a_second": rates,
        "ours_over_openmp": {
            where: round(means[f"ours, {where}"] / means[f"OpenMP's own, {where}"], 2)
            for where in PLACES
        },
        "cores": os.cpu_count(),
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
