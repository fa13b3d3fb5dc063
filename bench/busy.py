"""Training beside a process that wants a core: how its threads wait decides how fast it is.

    make demo
    python bench/busy.py

Trains a student of 0.8 million weights with two threads on a few of the demo's answers, on an idle
machine and beside one process that never rests, with GNU OpenMP's own number of turns that a thread
spins before it sleeps (300,000) and with ours, in turn. The weights must be the same.
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

import click
import results
from train_ways import SIZE

from alpacare.compute.determinism import SPIN_COUNT
from alpacare.core.settings import read_yaml

REPOSITORY = Path(__file__).parents[1]
ROUNDS = 2
ANSWERS = 30  # enough: in one way they take a minute
SETTINGS = {"OpenMP's own": "300000", "ours": SPIN_COUNT}
MACHINES = {"idle": False, "busy": True}
PYTHON = (sys.executable, "-m")
PROMPT = ("--prompt", "prompts/student")
BASE_MODEL = [*PYTHON, "alpacare.stages.base_model", "rows.jsonl", "base_model", *PROMPT]
STAGE = [
    *(*PYTHON, "alpacare.stages.checkpoint", "students/one.yaml", "rows.jsonl", "checkpoint"),
    *("--seed", "0", "--base-model", "base_model", *PROMPT, "--hardware", "configs/accelerate"),
]


@contextmanager
def other_process(busy: bool) -> Iterator[None]:
    """Beside a process that takes a whole core, or one that ends at once."""
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
    rate = re.search(r"([0-9,]+) tokens/s", done.stdout)
    assert rate, done.stdout
    weights = (folder / "checkpoint/model.safetensors").read_bytes()
    return float(rate[1].replace(",", "")), hashlib.sha256(weights).hexdigest()


def make_project(folder: Path) -> None:
    """The demo's settings for one epoch of a larger student, and a few of its answers."""
    for entry in ("dvc.yaml", "prompts", "configs"):
        (folder / entry).symlink_to(REPOSITORY / entry)
    answers = (REPOSITORY / "data/responses.jsonl").read_text().splitlines(keepends=True)
    (folder / "rows.jsonl").write_text("".join(answers[:ANSWERS]))
    params = read_yaml(REPOSITORY / "params.yaml")
    params["base_model"]["architecture"] = SIZE.model_dump()
    (folder / "params.yaml").write_text(json.dumps(params))
    (folder / "students").mkdir()
    (folder / "students/one.yaml").write_text("threads: 2\noptimizer: {epochs: 1}\n")
    subprocess.run(BASE_MODEL, cwd=folder, check=True, capture_output=True)


@click.command()
@results.save_option
def main(save: bool) -> None:
    """Measure training with both ways to wait, on an idle and on a busy machine."""
    rates: dict[str, list[float]] = {}
    hashes = set()
    with tempfile.TemporaryDirectory() as name:
        make_project(Path(name))
        for state, _, setting in product(MACHINES, range(ROUNDS), SETTINGS):
            with other_process(MACHINES[state]):
                rate, weights = train(Path(name), SETTINGS[setting])
            rates.setdefault(f"{setting}, {state} machine, tokens/s", []).append(rate)
            hashes.add(weights)
    assert len(hashes) == 1, "how threads wait must change no bit"
    rounds = [{name: each[number] for name, each in rates.items()} for number in range(ROUNDS)]
    noise = results.noise(rounds)
    print(results.describe_noise(noise))
    means = {name: round(mean(each), 1) for name, each in rates.items()}
    results.report("busy", means | {"noise, %": noise}, save)


if __name__ == "__main__":
    main()
