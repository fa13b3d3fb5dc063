"""`alpacare train --where slurm` on a real Slurm: what is missing, requeued, and sealed by DVC."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from clones import Clone, quick_clone, ran
from conftest import REPOSITORY
from slurm_cluster import Slurm, missing, slurm_cluster, wait_until

from alpacare.cli.training import train
from alpacare.core.errors import BadInput
from alpacare.launchers.launcher import Launcher, read_launcher

COMMAND = ("alpacare", "train", "--where", "slurm")
STEPS = 100
LONGER = {
    "params.yaml": {
        "save_steps: 500": "save_steps: 5",
        "students: [all-rows, half-rows]": "students: [all-rows, half-rows, diverging]",
    },
    "students/all-rows.yaml": {"max_steps: 4": f"max_steps: {STEPS}"},
    "students/half-rows.yaml": {"max_steps: 4": f"max_steps: {STEPS}"},
    "configs/launchers/slurm/settings.yaml": {"poll_seconds: 5": "poll_seconds: 0.3"},
}
slurm_only = pytest.mark.skipif(bool(missing()), reason=missing() or "there is a Slurm")


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    with slurm_cluster(tmp_path_factory.mktemp("slurm") / "cluster") as cluster:
        yield cluster


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory, slurm: Slurm) -> Clone:
    clone = quick_clone(tmp_path_factory, "launched")
    for name, edits in LONGER.items():
        path = clone.folder / name
        for old, new in edits.items():
            assert old in path.read_text(), old
            path.write_text(path.read_text().replace(old, new))
    diverging = "optimizer: {learning_rate: 1.0e+30, max_steps: 4}\n"
    (clone.folder / "students/diverging.yaml").write_text(diverging)
    clone.environment.update(slurm.environment)
    return clone


def start(clone: Clone) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        COMMAND,
        cwd=clone.folder,
        env=clone.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def hold(clone: Clone, *students: str) -> list[int]:
    """Stop trainings for a moment, each once it has a checkpoint; give their processes."""
    held: dict[str, int] = {}

    def stop() -> bool:
        for student in students:
            scratch = clone.folder / f"models/checkpoint/{student}/.scratch"
            if student not in held and list(scratch.glob("*/checkpoint-*/complete")):
                (lock,) = scratch.glob("*/worker-0.lock")
                held[student] = int(lock.read_text().split()[0])
                os.kill(held[student], signal.SIGSTOP)
        return len(held) == len(students)

    wait_until(stop, "a training that has no checkpoint")
    return [held[student] for student in students]


@pytest.mark.slow
@slurm_only
def test_jobs_that_are_requeued_are_sealed_with_the_bytes_of_a_run_here(
    clone: Clone, slurm: Slurm
) -> None:
    first = start(clone)
    _, half_rows = hold(clone, "all-rows", "half-rows")
    slurm.requeue("1_0")  # as a preemption, which also lets it go on
    slurm.run("scancel", "--batch", "--signal=USR1", "1_1")  # as two minutes before its time ends
    os.kill(half_rows, signal.SIGCONT)
    slurm.start_now("1_1")
    first.send_signal(signal.SIGINT)
    told, _ = first.communicate(timeout=300)
    assert first.returncode == 130
    assert "all-rows-0: job 1_0 submitted; log: models/checkpoint/.jobs/" in told
    assert "detached: the jobs run on" in told
    assert "make train WHERE=slurm" in told
    assert "scancel 1\n" in told

    again = clone.run(*COMMAND)
    assert again.returncode == 2, again.stdout + again.stderr
    assert ran(again.stdout) == [
        *("checkpoint@all-rows-0", "checkpoint@half-rows-0"),
        *("training_curves@all-rows-0", "training_curves@half-rows-0"),
    ]
    assert again.stdout.count("nothing is trained again") == 2
    logs = [path.read_text() for path in sorted((clone.folder / "models").rglob("*.log"))]
    for log in logs[:2]:
        assert "stopped: the same command goes on from step" in log
        assert f"{STEPS}/{STEPS} steps" in log
    assert "diverging-0: job 1_2 " in again.stdout  # it had failed by then, or runs still
    (failed, error) = again.stderr.splitlines()[-2:]
    assert re.search(r"failed: student 'diverging', seed 0: job \d_\d: training diverged", failed)
    assert error.startswith("error: 1 of 3 trainings failed")

    hashes = clone.hashes()
    here = clone.ok("dvc", "repro", "--single-item", "--force", "checkpoint@all-rows-0")
    assert "trained before" not in here
    assert clone.hashes() == hashes
    assert ran(clone.ok("alpacare", "train", "--student", "all-rows")) == []


def test_a_launcher_that_is_not_there_is_one_line_that_names_those_that_are() -> None:
    os.chdir(REPOSITORY)
    result = CliRunner().invoke(train, ["--where", "slrum"])
    assert result.exit_code == 2
    assert "error: WHERE=slrum: no such folder in configs/launchers" in result.output
    assert "local, slurm" in result.output


def test_without_a_scheduler_nothing_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    os.chdir(REPOSITORY)
    monkeypatch.setenv("PATH", "/nonexistent")
    result = CliRunner().invoke(train, ["--where", "slurm"])
    assert result.exit_code == 2
    assert result.output.startswith("error: sbatch: no such command here")


@slurm_only
def test_a_partition_that_is_not_there_is_told_in_slurms_own_words(
    slurm: Slurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_CONF", slurm.environment["SLURM_CONF"])
    Path("job.sh").write_text("#!/bin/bash\n#SBATCH --partition=nope\n")
    script = Path("job.sh").absolute()
    monkeypatch.chdir(REPOSITORY)
    with pytest.raises(Exception, match=r"job\.sh was not accepted: .*partition.*: nope"):
        Launcher("slurm").submit(script)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("submit: sbatch 'job.sh", "submit: No closing quotation"),
        ("submit: sbatch job.sh", "submit: must have {script}"),
        # what is none of the number would never be found again, and be submitted twice
        ("submit: echo Submitted batch job 17 {script}", "printed 'Submitted batch job 17 job.sh'"),
    ],
)
def test_commands_that_cannot_work_are_one_line(workspace: Path, settings: str, told: str) -> None:
    folder = Path("configs/launchers/mine")
    folder.mkdir(parents=True)
    (folder / "settings.yaml").write_text(
        f"{settings}\nrunning: echo\ncancel: 'kill {{x}} {{job}}'\n"
    )
    with pytest.raises(BadInput) as refused:
        read_launcher("mine").submit(Path("job.sh"))
    assert told in str(refused.value)
    if "printed" in told:
        assert read_launcher("mine").cancel_command("17") == "kill {x} 17"
