"""`alpacare train --where` with a scheduler of a few lines: signals, edits, and no requeue."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import click
import pytest
from conftest import REPOSITORY
from slurm_cluster import wait_until

from alpacare.core.errors import BadInput
from alpacare.launchers import train
from alpacare.launchers.array import render
from alpacare.launchers.launcher import Launcher
from alpacare.launchers.study import Task
from alpacare.pipeline.params import Run

SETTINGS = """\
submit: sh -c 'kill -TERM $PPID; echo 17' {script}
running: echo 17_0 RUNNING
cancel: stop {job}
"""
SCRATCH = Path("models/checkpoint/tiny/.scratch/0")
TASKS = [Task(Run("tiny", seed), "true", SCRATCH.with_name(str(seed))) for seed in range(3)]


@pytest.fixture
def launcher(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Launcher]:
    """One whose `submit` stops who submits."""
    folder = Path("configs/launchers/mine")
    folder.mkdir(parents=True)
    (folder / "settings.yaml").write_text(SETTINGS)
    (folder / "job.sh").write_text("")
    monkeypatch.setattr(train, "targets_before", lambda _: [])
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    yield Launcher("mine")
    signal.signal(signal.SIGTERM, before)


def test_jobs_are_written_down_though_a_signal_comes_as_they_are_submitted(
    launcher: Launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "_run", lambda *_: None)
    monkeypatch.setattr(train, "missing_tasks", lambda _: TASKS[:1])
    with pytest.raises(KeyboardInterrupt, match=r"the jobs run on\n(.*\n)*  stop 17"):
        train.train_elsewhere(launcher, [TASKS[0].run], detach=False, again="again")
    (array,) = SCRATCH.parents[2].glob(".jobs/*/array.json")
    assert json.loads(array.read_text())["job"] == "17"


def test_only_what_is_trained_as_files_are_now_is_sealed(
    launcher: Launcher, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first is edited meanwhile, the second sealed by another command, the third is done."""
    done, ran = SCRATCH.with_name("2-01234567") / "finished", []
    done.mkdir(parents=True)
    missing = [TASKS[2]], [TASKS[0], TASKS[2]]
    answers = iter(missing)
    monkeypatch.setattr(train, "missing_tasks", lambda _: next(answers))
    monkeypatch.setattr(train, "_run", lambda *words: ran.append(words))
    with pytest.raises(BadInput, match="1 of 3 trainings failed"):
        train.train_elsewhere(launcher, [task.run for task in TASKS], detach=False, again="again")
    assert [word for word in ran[-1] if word.startswith("checkpoint")] == [
        *("checkpoint@tiny-1", "checkpoint@tiny-2")
    ]
    told = capsys.readouterr().err
    assert told == (
        "failed: student 'tiny', seed 0: settings, rows or code were edited since it was trained\n"
    )


def test_a_signal_for_this_process_alone_stops_its_command_too(launcher: Launcher) -> None:
    Path("slow.py").write_text(
        "import pathlib, signal, sys, time\n"
        "signal.signal(signal.SIGINT, lambda *_: sys.exit(7))\n"
        "pathlib.Path('ready').touch()\n"
        "time.sleep(60)\n"
    )

    def stop() -> None:
        wait_until(Path("ready").exists, "a command that does not start")
        os.kill(os.getpid(), signal.SIGTERM)

    Thread(target=stop).start()
    with pytest.raises(click.exceptions.Exit) as ended:
        train._run("slow")
    assert ended.value.exit_code == 7


@pytest.mark.parametrize("saves", [True, False])
def test_a_job_whose_time_ends_is_queued_again_if_it_saved_a_checkpoint(
    workspace: Path, saves: bool
) -> None:
    save = f"mkdir -p {SCRATCH}-v/checkpoint-5; touch {SCRATCH}-v/checkpoint-5/complete; "
    Path("training.sh").write_text(
        f"trap '{save if saves else ''}exit 130' TERM\n"
        "kill -USR1 $PPID\n"
        "while :; do sleep 0.05; done\n"
    )
    Path("scontrol").write_text('#!/bin/sh\necho "$@"\n')
    Path("scontrol").chmod(0o755)
    task = Task(Run("tiny", 0), f"bash training.sh --train-in {SCRATCH}", SCRATCH)
    job = Launcher.__new__(Launcher)
    job.folder = REPOSITORY / "configs/launchers/slurm"
    environment = os.environ | {
        "PATH": f".:{os.environ['PATH']}",
        "SLURM_ARRAY_TASK_ID": "0",
        "SLURM_ARRAY_JOB_ID": "17",
        "SLURM_JOB_NUM_NODES": "1",
    }
    script = render(job, [task], workspace)
    done = subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 130
    told = done.stdout.startswith("error: not queued again, as it saved no checkpoint")
    assert (done.stdout == "requeue 17_0\n", told) == (saves, not saves)
