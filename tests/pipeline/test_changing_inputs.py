"""Settings, prompts and code that are edited while a stage of `dvc repro` runs."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from clones import Clone, quick_clone
from loopback import Running, running
from ruamel.yaml import YAML

from alpacare.core.settings import read_yaml

pytestmark = pytest.mark.slow

MODEL = "Qwen/Qwen2.5-72B-Instruct"  # on a server of one's own, which costs nothing
PROMPT = "prompts/responses/system.txt"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return quick_clone(tmp_path_factory, "changing")


@pytest.fixture
def teacher(clone: Clone) -> Iterator[Running]:
    """A slow server, which the stage `responses` is to ask."""
    with running(latency=1.0) as server:
        put(clone, "endpoints.self-hosted.base_url", server.url)
        put(clone, "responses.endpoint", "self-hosted")
        put(clone, "responses.model", MODEL)
        clone.commit("another teacher")
        yield server


def put(clone: Clone, key: str, value: object, file: str = "params.yaml") -> None:
    """Set a value in params.yaml, or the file of a student."""
    yaml, path = YAML(), clone.folder / file
    *above, last = key.split(".")
    document = section = yaml.load(path)
    for name in above:
        section = section[name]
    section[last] = value
    yaml.dump(document, path)


def calls(teacher: Running) -> int:
    return int(teacher.state()["calls"])


def add_line(clone: Clone, path: str) -> None:
    file = clone.folder / path
    file.write_text(f"{file.read_text()}# more\n")


@contextmanager
def at_work(clone: Clone, stage: str, begun: Callable[[], object]) -> Iterator[list[str]]:
    """Run a stage, and hold it still for the block; the list then has what it said at its end."""
    process = subprocess.Popen(
        ["dvc", "repro", "-s", stage],
        cwd=clone.folder,
        env=clone.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    until, told = time.monotonic() + 240, list[str]()
    while not begun():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.01)
    stage = int((clone.folder / ".dvc/tmp/stage.lock").read_text().partition(" ")[0])
    os.kill(stage, signal.SIGSTOP)
    try:
        yield told
    finally:
        os.kill(stage, signal.SIGCONT)
    told += process.communicate(timeout=120)[0].splitlines()
    told.append(f"status {process.returncode}")


def refused(told: list[str], changed: str) -> None:
    (line,) = (line for line in told if line.startswith("error: "))
    assert f"{changed} changed while the stage ran" in line
    assert told[-1] != "status 0"


def recorded(clone: Clone, stage: str) -> tuple[Any, set[Path]]:
    """What DVC says of a stage, and every run that it remembers."""
    runs = {path for path in (clone.folder / ".dvc/cache/runs").rglob("*") if path.is_file()}
    return read_yaml(clone.folder / "dvc.lock")["stages"][stage], runs


def temperature(clone: Clone) -> Any:
    """The one that DVC says `responses` was made with."""
    return recorded(clone, "responses")[0]["params"]["params.yaml"]["responses"]["temperature"]


def test_training_goes_on_from_its_scratch_once_its_settings_are_back(clone: Clone) -> None:
    put(clone, "training.save_steps", 5)
    put(clone, "optimizer.max_steps", 60, "students/all-rows.yaml")
    stage, out = "checkpoint@all-rows-0", clone.folder / "models/checkpoint/all-rows/0"
    scratch = out.parent / ".scratch"
    with at_work(clone, stage, lambda: list(scratch.glob("*/checkpoint-*/complete"))) as told:
        put(clone, "checkpoint.optimizer.learning_rate", 5e-5)
    refused(told, "params.yaml: checkpoint.optimizer.learning_rate")
    assert not out.exists()
    put(clone, "checkpoint.optimizer.learning_rate", 4e-3)
    said = clone.run("dvc", "repro", "-s", stage)
    assert said.returncode == 0, said.stderr
    assert "loss" not in said.stderr, "no step is done again"
    weights = (out / "model.safetensors").read_bytes()
    clone.ok("dvc", "repro", "-f", "-s", stage)
    assert (out / "model.safetensors").read_bytes() == weights
    clone.git("checkout", "-q", ".")
    clone.ok("dvc", "checkout", "-q")


def test_nothing_is_recorded_of_other_settings_or_prompts_and_nothing_paid_is_lost(
    clone: Clone, teacher: Running
) -> None:
    before = recorded(clone, "responses")
    with at_work(clone, "responses", lambda: calls(teacher)) as told:
        put(clone, "responses.temperature", 0.5)
        add_line(clone, PROMPT)
    refused(told, f"{PROMPT}, params.yaml: responses.temperature")
    assert not (clone.folder / "data/responses.jsonl").exists()
    assert recorded(clone, "responses") == before
    clone.git("checkout", "-q", ".")
    paid = calls(teacher)
    clone.ok("dvc", "repro", "-s", "responses")
    assert calls(teacher) == paid
    assert temperature(clone) == 1.0


def test_other_edits_and_what_is_taken_back_do_not_matter(clone: Clone, teacher: Running) -> None:
    put(clone, "responses.temperature", 0.7)
    with at_work(clone, "responses", lambda: calls(teacher)) as told:
        clone.git("stash")
        clone.git("stash", "pop")
        put(clone, "generations.max_new_tokens", 9)
        put(clone, "endpoints.self-hosted.in_flight", 50)
        for path in (
            "docs/judge.md",
            "src/alpacare/report/page.py",
            "src/alpacare/judging/judges.py",
        ):
            add_line(clone, path)
    assert told[-1] == "status 0", told
    assert temperature(clone) == 0.7
    clone.git("checkout", "-q", ".")
