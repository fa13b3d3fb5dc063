"""A run that is stopped or killed goes on where it was; one with other settings begins anew."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from answerers import answer, make_checkpoint, make_tests, set_params

from alpacare import jsonl

TESTS = make_tests(40)
SLOW = {"batch_size": 2, "max_new_tokens": 60}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("model") / "checkpoint")


@pytest.fixture
def checkpoint(model: Path) -> Path:
    return Path(shutil.copytree(model, "checkpoint"))


def journal() -> list[str]:
    """What is kept, a line a batch."""
    files = Path(".scratch").glob("out-*/rows-*.jsonl")
    return [line for file in files for line in file.read_text().splitlines() if line]


def start(checkpoint: Path, **changes: Any) -> "subprocess.Popen[str]":
    set_params(**SLOW, **changes)
    jsonl.write(Path("tests.jsonl"), TESTS)
    arguments = [str(checkpoint), "tests.jsonl", "out.jsonl", "--run", "out.json"]
    return subprocess.Popen(
        [sys.executable, "-m", "alpacare.stages.generations", *arguments],
        stderr=subprocess.PIPE,
        text=True,
    )


def stop(process: "subprocess.Popen[str]", batches: int, number: signal.Signals) -> str:
    """Stop it once so many batches are kept; give what it said."""
    end = time.monotonic() + 120
    while len(journal()) < batches:
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.01)
    process.send_signal(number)
    return process.communicate(timeout=60)[1]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
def test_what_is_done_is_not_done_again(checkpoint: Path, number: signal.Signals) -> None:
    told = stop(start(checkpoint), 3, number)
    kept = journal()
    assert 3 <= len(kept) < 20
    assert not Path("out.jsonl").exists()
    if number == signal.SIGTERM:
        assert f"{2 * len(kept)} of 40 answers are kept; the same command goes on" in told
    (file,) = Path(".scratch").glob("out-*/rows-0.jsonl")
    with file.open("a") as torn:
        torn.write('{"rows": {"7": [[1, 2')
    resumed = answer(checkpoint, TESTS, **SLOW)
    assert [line for line in journal() if line in kept] == kept
    done = [place for line in journal()[len(kept) + 1 :] for place in json.loads(line)["rows"]]
    again = {place for line in kept for place in json.loads(line)["rows"]} & set(done)
    assert not again
    shutil.rmtree(".scratch")
    assert answer(checkpoint, TESTS, **SLOW) == resumed
    assert [record.id for record in resumed] == [test.id for test in TESTS]


def test_workers_that_are_stopped_keep_what_they_have(checkpoint: Path) -> None:
    told = stop(start(checkpoint, workers=2), 3, signal.SIGINT)
    kept = journal()
    assert "answers are kept; the same command goes on" in told
    resumed = answer(checkpoint, TESTS, **SLOW)  # with another number of workers
    assert journal()[: len(kept)] == kept or set(kept) <= set(journal())
    assert len(journal()) == 20
    shutil.rmtree(".scratch")
    assert answer(checkpoint, TESTS, **SLOW) == resumed


def test_a_second_call_answers_nothing_again(checkpoint: Path) -> None:
    first = answer(checkpoint, TESTS[:6])
    lines = journal()
    Path("out.jsonl").unlink()
    assert answer(checkpoint, TESTS[:6]) == first
    assert journal() == lines


def test_other_weights_or_settings_begin_anew_and_the_old_is_forgotten(
    checkpoint: Path, tmp_path: Path
) -> None:
    before = answer(checkpoint, TESTS[:6])
    shutil.rmtree(checkpoint)
    make_checkpoint(checkpoint, seed=2)
    after = answer(checkpoint, TESTS[:6])
    assert after != before
    assert len(list(Path(".scratch").glob("out-*"))) == 1
    assert all(record.tokens and record.tokens <= 5 for record in answer(
        checkpoint, TESTS[:6], max_new_tokens=5)
    )  # fmt: skip


def test_two_runs_of_one_output_do_not_meet(checkpoint: Path) -> None:
    first = start(checkpoint)
    try:
        end = time.monotonic() + 120
        while not journal():
            assert time.monotonic() < end
            time.sleep(0.01)
        first.send_signal(signal.SIGSTOP)  # it would be done before the second has begun
        second = start(checkpoint)
        _, told = second.communicate(timeout=60)
        assert second.returncode == 2
        assert f"this very run is under way in process {first.pid}" in told
    finally:
        first.kill()
        first.communicate()
