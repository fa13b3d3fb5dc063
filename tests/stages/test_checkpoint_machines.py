"""One training on two nodes of a real Slurm, by the job script that is checked in."""

import json
import os
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY, run
from slurm_cluster import missing, slurm_cluster
from test_checkpoint_processes import ALLOW_FSDP_ON_CPU
from tiny_study import STUDENT, command, rows, train

from alpacare.launchers.array import render
from alpacare.launchers.launcher import Launcher
from alpacare.launchers.study import Task
from alpacare.pipeline.params import Run
from alpacare.stages.checkpoint import main as checkpoint
from alpacare.training.run import find_run

__all__ = ["rows"]  # a fixture


def two_machines() -> Path:
    """The checked-in file for several machines, for one CPU process on each."""
    text = (REPOSITORY / "configs/accelerate/multi-node-fsdp2.yaml").read_text()
    for old, new in (("use_cpu: false", "use_cpu: true"), ("processes: 16", "processes: 2")):
        assert old in text
        text = text.replace(old, new)
    path = Path("hardware/cpu.yaml")
    path.parent.mkdir()
    path.write_text(text)
    return path.parent


def scratch_folder(arguments: list[str]) -> Path:
    given = dict(checkpoint.make_context("checkpoint", [*arguments]).params)
    del given["train_in"]
    return find_run(**given).folder


def job_script(arguments: list[str], folder: Path) -> Path:
    """The checked-in job script, for two nodes and this training."""
    words = [sys.executable, "-m", "alpacare.stages.checkpoint", *arguments]
    task = Task(Run("tiny", 0), " ".join([*words, "--train-in", str(folder)]), folder)
    Path("configs").symlink_to(REPOSITORY / "configs")
    text = render(Launcher("slurm"), [task], Path())
    script = Path("job.sh")
    # the nodes are processes here, whose names no resolver knows
    for old, new in (
        ("--nodes=1", "--nodes=2"),
        ("$(scontrol show hostnames | head -n 1)", "127.0.0.1"),
    ):
        assert old in text
        text = text.replace(old, new)
    script.write_text(text)
    return script


@pytest.mark.skipif(bool(missing()), reason=missing() or "there is a Slurm")
def test_two_machines_learn_as_one_process_does(
    rows: Path, params: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    student = {"packing": False, "optimizer": {"batch_size": 4, "max_steps": 3}}
    STUDENT.write_text(json.dumps(student))
    Path("shim").mkdir()
    Path("shim/sitecustomize.py").write_text(ALLOW_FSDP_ON_CPU)
    source = str(REPOSITORY / "src")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'shim'}{os.pathsep}{source}")
    arguments = list(map(str, command(rows, "two", 0, two_machines())))
    folder = scratch_folder(arguments)
    with slurm_cluster(tmp_path / "cluster") as slurm:
        slurm.run("sbatch", "--wait", str(job_script(arguments, folder)))
    for name, value in {"NODEID": "1", "RESTART_COUNT": "1"}.items():  # it starts once more
        monkeypatch.setenv(f"SLURM_{name}", value)
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", "1")
    assert run(checkpoint, *arguments, "--train-in", folder).output == "", Path("0.log").read_text()
    monkeypatch.delenv("SLURM_NODEID")
    done = train(rows, "two", hardware=Path("hardware"))
    assert "nothing is trained again" in done.output, Path("0.log").read_text()
    assert train(rows, "one").exit_code == 0
    losses = [
        [json.loads(line)["loss"] for line in Path(out, "history.jsonl").read_text().splitlines()]
        for out in ("one", "two")
    ]
    assert losses[1] == pytest.approx(losses[0], abs=1e-5)
    assert Path("kind").read_text().endswith("FSDP")
