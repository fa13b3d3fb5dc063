"""Several people, several runs: what they may do to one another, in a quick clone."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from clones import Clone, quick_clone

pytestmark = pytest.mark.slow

FORCED = ("dvc", "repro", "-f", "-s", "generations@demo-all-rows-0-batched")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return quick_clone(tmp_path_factory, "together")


@contextmanager
def at_work(clone: Clone) -> Iterator[subprocess.Popen[str]]:
    """Start a run, and hold its stage still until the end of the block: it may take a second."""
    first = subprocess.Popen(
        FORCED, cwd=clone.folder, env=clone.environment, stdout=subprocess.PIPE, text=True
    )
    lock = clone.folder / ".dvc/tmp/stage.lock"
    until = time.monotonic() + 60
    while not (stage := holder(lock)):
        assert time.monotonic() < until, "no stage at work after a minute"
        time.sleep(0.01)
    os.kill(stage, signal.SIGSTOP)
    try:
        yield first
    finally:
        os.kill(stage, signal.SIGCONT)


def holder(lock: Path) -> int:
    """The process that holds a lock, 0 if none: only read, as to try it is to hold it."""
    name = lock.read_text().partition(" ")[0]
    return int(name) if name and Path(f"/proc/{name}").exists() else 0


def test_a_second_run_in_one_working_tree_is_refused(clone: Clone) -> None:
    before = clone.hashes()
    with at_work(clone) as first:
        second = clone.run(*FORCED)
    told, _ = first.communicate(timeout=120)
    assert second.returncode != 0
    assert "busy" in second.stderr or "Unable to acquire lock" in second.stderr
    assert first.returncode == 0, told
    assert clone.hashes() == before
    assert clone.git("status", "--short") == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a process number space")
def test_so_is_one_from_another_container_and_nothing_is_corrupted(clone: Clone) -> None:
    """DVC there takes the first one's lock for a dead process's; the stage itself refuses.

    DVC here may then fail to give its lock back, so the first run may have to be given again.
    """
    before = clone.hashes()
    with at_work(clone) as first:
        second = clone.run("unshare", "--pid", "--fork", *FORCED)
    first.communicate(timeout=120)
    assert second.returncode != 0
    assert "another stage of this pipeline is under way" in second.stderr
    clone.repro()
    assert clone.hashes() == before
    assert clone.git("status", "--short") == ""


def test_git_add_never_takes_data_weights_ledger_or_keys(clone: Clone) -> None:
    """Also after a stage has failed: DVC then takes back what it had told Git to ignore."""
    planted = [".env", ".ledger/planted", "models/.scratch/run/weights.safetensors"]
    for name in planted:
        (clone.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (clone.folder / name).write_text("OPENAI_API_KEY=planted\n")
    with clone.edited("params.yaml", "  temperature: 1.0 ", "  temperature: 0.9 "):
        assert clone.run("dvc", "repro").returncode != 0
        listed = clone.git("add", "--all", "--dry-run").splitlines()
    assert listed == ["add 'params.yaml'"]
    for name in planted:
        (clone.folder / name).unlink()
    clone.ok("dvc", "checkout")
    clone.git("checkout", "-q", "HEAD", "--", ".")
    assert clone.git("status", "--short") == ""


@pytest.fixture(scope="module")
def bare(clone: Clone) -> Path:
    """A clone of the clone, as from a Git server: no cache, and no remote that holds anything."""
    folder = clone.folder.parent / "bare"
    clone.git("clone", "-q", str(clone.folder), str(folder))
    return folder


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("dvc metrics show", "win_rate"),
        ("dvc metrics diff HEAD~1", "win_rate"),
        ("alpacare scores", "overlap"),
    ],
)
def test_a_clone_without_data_shows_what_git_holds(
    clone: Clone, bare: Path, command: str, shown: str
) -> None:
    assert shown in clone.ok(*command.split(), cwd=bare)


def test_an_edited_setting_shows_without_data(clone: Clone, bare: Path) -> None:
    params = bare / "params.yaml"
    params.write_text(params.read_text().replace("rouge_l: 0.7 ", "rouge_l: 0.6 ", 1))
    assert "filtered.rouge_l" in clone.ok("dvc", "params", "diff", cwd=bare)
    clone.git("checkout", "-q", "--", "params.yaml", cwd=bare)


def test_a_comparison_without_data_says_so_in_one_line(clone: Clone, bare: Path) -> None:
    done = clone.run("alpacare", "diff", "HEAD~1", cwd=bare)
    assert done.returncode == 2
    (told,) = done.stderr.splitlines()
    assert re.search(r"neither in DVC's cache nor in its remote; run `dvc \w+", told)
