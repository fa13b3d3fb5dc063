"""One stage at a time in a working tree, whoever started it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY

from alpacare.core.errors import BadInput
from alpacare.core.file_lock import hold_lock, is_held

STAGE = ["-m", "alpacare.stages.seeds", "seeds.jsonl", "out.jsonl", "--metrics", "m.json"]


@pytest.fixture
def project(params: Path) -> Path:
    """A folder in which the stage `seeds` can run."""
    shutil.copy(REPOSITORY / "data/seeds/medical.jsonl", "seeds.jsonl")
    Path(".dvc/tmp").mkdir(parents=True)
    return params.parent


def run_stage(*before: str, stage: str = "seeds") -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "src"), "DVC_STAGE": stage}
    command = [*before, sys.executable, *STAGE, "--table", "t.csv"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_second_stage_is_refused_and_touches_nothing(project: Path) -> None:
    with hold_lock(Path(".dvc/tmp/stage.lock")):
        done = run_stage()
    assert done.returncode == 2
    told = done.stderr.splitlines()[0]
    assert told.startswith("error: .dvc/tmp: another stage of this pipeline is under way in pro")
    assert f" {os.getpid()} of " in told
    assert not Path("out.jsonl").exists()
    assert run_stage().returncode == 0, "the lock went with its holder"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a process number space")
def test_so_is_one_from_another_container(project: Path) -> None:
    """Which sees no process of this one: DVC's own lock would let it in."""
    with hold_lock(Path(".dvc/tmp/stage.lock")):
        done = run_stage("unshare", "--pid", "--fork")
    assert done.returncode == 2
    assert "another stage of this pipeline is under way" in done.stderr


def test_what_is_no_stage_of_a_pipeline_waits_for_nobody(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "src")}
    with hold_lock(Path(".dvc/tmp/stage.lock")):
        command = [sys.executable, *STAGE, "--table", "t.csv"]
        assert subprocess.run(command, env=environment, check=False).returncode == 0


def test_the_holder_is_named(workspace: Path) -> None:
    lock = workspace / "x.lock"
    assert not is_held(lock)
    told = rf"this very run .* process {os.getpid()} of"
    with hold_lock(lock), pytest.raises(BadInput, match=told), hold_lock(lock):
        pass
    assert not is_held(lock)
    with hold_lock(lock):
        assert is_held(lock)
