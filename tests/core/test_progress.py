"""Progress without a terminal: a line now and then, also while nothing gets done."""

import re
import sys
import time
from pathlib import Path

import click
import pytest
from conftest import run

from alpacare.compute.workers import run_workers
from alpacare.core import progress
from alpacare.core.command import Stage


def test_silence_is_broken_until_the_work_ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_PLAIN_INTERVAL", 0.2)
    with progress.track("answers", 1003, "tasks", before=1000) as advance:
        advance(0, "40 tokens")
        time.sleep(0.7)
        first = capsys.readouterr().err
        advance(3, "90 tokens")
    last = capsys.readouterr().err
    time.sleep(0.5)
    assert first.startswith("answers: 1000/1003 tasks  40 tokens  0 s so far\n")
    assert 1 < len(first.splitlines()) < 5
    rate = re.fullmatch(r"answers: 1003/1003 tasks  90 tokens  (.*)/s  ETA 0 s\n", last)
    assert rate
    assert float(rate[1]) < 5, "what was done before counts in no rate"
    assert capsys.readouterr().err == ""


def test_a_stage_says_that_it_starts_until_it_shows_progress(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_STAGE", "checkpoint@a-0")
    monkeypatch.setattr(progress, "_SILENCE", 0.1)

    @click.command(cls=Stage)
    def slow() -> None:
        time.sleep(0.35)  # as long as torch takes to load
        with progress.track("training", 1, "steps") as advance:
            time.sleep(0.35)
            advance(1, "")

    @click.command(cls=Stage)
    def slow_in_workers() -> None:
        run_workers([sys.executable, "-c", "import time; time.sleep(0.3)"], {}, workspace, str)

    assert "is starting" not in run(slow_in_workers).output, "a worker says so on its own"
    said = run(slow).output
    assert 1 <= said.count("checkpoint@a-0 is starting: 0 s") <= 3
    assert said.index("is starting") < said.index("training: 1/1 steps")
