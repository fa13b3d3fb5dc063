"""`checkpoint` stopped and killed: the same weights in the end."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import run
from tiny_study import STUDENT, command, contents, edit, rows, train, trained

from alpacare.core.file_lock import hold_lock
from alpacare.stages.checkpoint import main as checkpoint

__all__ = ["rows"]  # a fixture


def start(rows: Path, out: str) -> "subprocess.Popen[str]":
    words = [sys.executable, "-m", "alpacare.stages.checkpoint", *command(rows, out, 0)]
    return subprocess.Popen(
        list(map(str, words)),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )


def wait_for_checkpoint(process: "subprocess.Popen[str]") -> Path:
    """Stop it for a moment once it has a checkpoint: it must not end before the signal comes."""
    deadline = time.monotonic() + 120
    before = set(Path(".scratch").glob("*/checkpoint-*/complete"))
    while not (found := {*Path(".scratch").glob("*/checkpoint-*/complete")} - before):
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGSTOP)
    return found.pop().parent


@pytest.fixture
def long_run(rows: Path, params: Path) -> Path:
    edit(params, {"save_steps: 500": "save_steps: 10"})
    STUDENT.write_text("optimizer: {max_steps: 90}\nvalidation_ratio: 0.34\n")
    return rows


def test_a_run_that_was_stopped_and_then_killed_ends_with_the_same_bytes(long_run: Path) -> None:
    whole = trained(long_run, "whole")
    stopped = start(long_run, "out")
    wait_for_checkpoint(stopped)
    stopped.send_signal(signal.SIGTERM)
    stopped.send_signal(signal.SIGCONT)
    _, errors = stopped.communicate(timeout=60)
    assert stopped.returncode == 130
    assert "stopped: the same command goes on from step" in errors
    assert "Traceback" not in errors
    killed = start(long_run, "out")
    last = wait_for_checkpoint(killed)
    (lock,) = Path(".scratch").glob("*/worker-0.lock")
    assert int(lock.read_text().split()[0]) == killed.pid, "it trains in the stage's own process"
    killed.kill()
    killed.communicate()
    assert not Path("out").exists()
    (last.parent / "checkpoint-9999").mkdir()  # a half-written one
    assert trained(long_run, "out") == whole
    assert not list(Path(".scratch").iterdir())


def test_what_a_job_has_trained_is_moved_later_whatever_its_versions(rows: Path) -> None:
    STUDENT.write_text("optimizer: {max_steps: 3}\n")
    words = [*command(rows, "out", 0), "--train-in"]
    refused = run(checkpoint, *words, ".scratch/0123456789abcdef")
    assert refused.exit_code == 2
    (folder,) = re.findall(r"this training's folder is (\S+): settings, rows or", refused.output)
    assert not Path(folder).parent.exists()
    for _ in range(2):  # a job that was requeued when it was done
        assert run(checkpoint, *words, folder).exit_code == 0
    assert not Path("out").exists()
    (scratch,) = Path(".scratch").iterdir()
    scratch.rename(f"{folder}-01234567")
    moved = train(rows, "out")
    assert f"trained before, in {folder}-01234567/finished: moved to out" in moved.output
    assert not list(Path(".scratch").iterdir())
    assert contents(Path("out")) == trained(rows, "whole")


def test_changed_settings_never_go_on_from_old_scratch(long_run: Path) -> None:
    process = start(long_run, "out")
    wait_for_checkpoint(process)
    process.kill()
    process.communicate()
    (old,) = Path(".scratch").iterdir()
    STUDENT.write_text("optimizer: {max_steps: 7}\n")
    with hold_lock(old / "worker-0.lock"):  # as if it ran
        assert "note:" not in train(long_run, "other").output
    assert f"note: .scratch/{old.name}" in train(long_run, "out").output
    assert list(Path(".scratch").iterdir()) == [old]
    assert len(Path("out/history.jsonl").read_text().splitlines()) == 7


def test_what_was_prepared_is_read_again_unless_it_is_damaged(rows: Path) -> None:
    STUDENT.write_text("optimizer: {learning_rate: 1.0e+30}\n")  # ends in its first steps
    assert train(rows, "out").exit_code == 2
    (ids,) = Path(".scratch").glob("*/prepared/train/ids.npy")
    whole, first = ids.read_bytes(), ids.stat().st_ino
    assert train(rows, "out").exit_code == 2
    assert ids.stat().st_ino == first
    ids.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert train(rows, "out").exit_code == 2
    second = ids.stat().st_ino
    assert (second != first, ids.read_bytes()) == (True, whole)
    (ids.parents[1] / "sha256").unlink()  # as if it were half-written
    assert train(rows, "out").exit_code == 2
    assert ids.stat().st_ino != second


def test_a_full_disk_is_one_line_and_the_run_goes_on_when_there_is_room(
    rows: Path, params: Path
) -> None:
    import resource

    edit(params, {"save_steps: 500": "save_steps: 5"})
    STUDENT.write_text("optimizer: {max_steps: 12}\n")
    kilobytes = 64  # of the largest file: less than the optimiser's state
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, before[1]))
    try:
        result = train(rows, "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert result.exit_code == 2
    assert "error: a checkpoint could not be written" in result.output
    assert not Path("out").exists()
    trained(rows, "out")
