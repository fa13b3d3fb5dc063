"""`checkpoint` stopped and killed: the same weights in the end."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_checkpoint import OPTIONS, contents, edit, responses, train

__all__ = ["responses"]  # a fixture


def start(responses: Path, out: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "alpacare.stages.checkpoint", responses, out, *OPTIONS]
    return subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def wait_for_checkpoints(count: int) -> Path:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found = sorted(Path(".scratch").glob("*/checkpoint-*/complete"))
        if len(found) >= count:
            return found[-1].parent
        time.sleep(0.05)
    raise AssertionError("no checkpoint in two minutes")


def kill(process: "subprocess.Popen[str]") -> None:
    """Kill the stage and its worker, as a power failure would."""
    os.killpg(process.pid, signal.SIGKILL)
    (lock,) = Path(".scratch").glob("*/worker-0.lock")
    os.kill(int(lock.read_text().split()[0]), signal.SIGKILL)  # "PID of HOST"
    process.communicate()


@pytest.fixture
def long_run(responses: Path, params: Path) -> Path:
    edit(params, {"epochs: 5": "epochs: 40", "save_steps: 500": "save_steps: 20"})
    return responses


def test_a_killed_run_ends_with_the_weights_of_an_uninterrupted_one(long_run: Path) -> None:
    assert train(long_run, "whole").exit_code == 0
    process = start(long_run, "killed")
    wait_for_checkpoints(1)
    kill(process)
    half = wait_for_checkpoints(1)
    assert not Path("killed").exists()
    assert json.loads((half / "trainer_state.json").read_text())["global_step"] < 200
    (half.parent / "checkpoint-9999").mkdir()  # a half-written one
    result = train(long_run, "killed")
    assert result.exit_code == 0, result.output
    assert contents(Path("killed")) == contents(Path("whole"))
    assert not list(Path(".scratch").iterdir())


def test_sigterm_keeps_what_is_there_and_says_how_to_go_on(long_run: Path) -> None:
    process = start(long_run, "out")
    wait_for_checkpoints(1)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped: the same command goes on from step" in errors
    assert "Traceback" not in errors
    assert not Path("out").exists()
    assert train(long_run, "out").exit_code == 0


def test_changed_settings_never_go_on_from_old_scratch(long_run: Path, params: Path) -> None:
    process = start(long_run, "out")
    wait_for_checkpoints(1)
    kill(process)
    (old,) = Path(".scratch").iterdir()
    edit(params, {"seed: 0                       # first": "seed: 1                       # first"})
    assert train(long_run, "out").exit_code == 0
    assert list(Path(".scratch").iterdir()) == [old]
    steps = [
        json.loads(line)["step"] for line in Path("out/history.jsonl").read_text().splitlines()
    ]
    assert steps == list(range(1, len(steps) + 1))


def test_what_was_prepared_is_read_again_unless_it_is_damaged(
    responses: Path, params: Path
) -> None:
    edit(params, {"learning_rate: 5.0e-3": "learning_rate: 1.0e+30"})  # ends in its first steps
    assert train(responses, "out").exit_code == 2
    (ids,) = Path(".scratch").glob("*/prepared/train/ids.npy")
    whole, first = ids.read_bytes(), ids.stat().st_ino
    assert train(responses, "out").exit_code == 2
    assert ids.stat().st_ino == first
    ids.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert train(responses, "out").exit_code == 2
    second = ids.stat().st_ino
    assert (second != first, ids.read_bytes()) == (True, whole)
    (ids.parents[1] / "sha256").unlink()  # as if it were half-written
    assert train(responses, "out").exit_code == 2
    assert ids.stat().st_ino != second
