"""A run that is stopped or killed goes on where it was; one with other settings begins anew."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from answerers import answer, make_checkpoint, make_tests, set_params
from conftest import run

from alpacare.compute.journal import Journal
from alpacare.compute.workers import worker_lock
from alpacare.core import jsonl
from alpacare.core.file_lock import hold_lock
from alpacare.generation.worker import JOB, GenerationJob, remaining_batches
from alpacare.stages.generations import main as generations

TESTS = make_tests(40)
SLOW = {"cache_tokens": 1, "max_new_tokens": 60}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("model") / "checkpoint")


@pytest.fixture
def checkpoint(model: Path) -> Path:
    return Path(shutil.copytree(model, "checkpoint"))


def journal() -> list[str]:
    """What is kept, a line a batch."""
    files = Path(".scratch/out").glob("*/results-*.jsonl")
    return [line for file in files for line in file.read_text().splitlines() if line]


def start(checkpoint: Path, **changes: Any) -> "subprocess.Popen[str]":
    set_params(**{**SLOW, **changes})
    jsonl.write(Path("tests.jsonl"), TESTS)
    arguments = [str(checkpoint), "tests.jsonl", "out.jsonl", "--run", "out.json"]
    return subprocess.Popen(
        [sys.executable, "-m", "alpacare.stages.generations", *arguments],
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(process: "subprocess.Popen[str]", batches: int) -> None:
    """Wait until so many batches are kept."""
    end = time.monotonic() + 120
    while len(journal()) < batches:
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.01)


def stop(process: "subprocess.Popen[str]", batches: int, number: signal.Signals) -> str:
    """Stop it once so many batches are kept; give what it said."""
    wait_for(process, batches)
    process.send_signal(number)
    return process.communicate(timeout=60)[1]


def refuse_another(checkpoint: Path, first: "subprocess.Popen[str]") -> None:
    """Two runs of one output do not meet."""
    wait_for(first, 1)
    first.send_signal(signal.SIGSTOP)  # it would be done before the second has begun
    second = start(checkpoint)
    _, message = second.communicate(timeout=60)
    first.send_signal(signal.SIGCONT)
    assert second.returncode == 2
    assert f"this very run is under way in process {first.pid}" in message


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
def test_what_is_done_is_not_done_again(checkpoint: Path, number: signal.Signals) -> None:
    process = start(checkpoint)
    if number == signal.SIGTERM:
        refuse_another(checkpoint, process)
    message = stop(process, 3, number)
    kept = journal()
    assert 3 <= len(kept) < 35
    assert not Path("out.jsonl").exists()
    if number == signal.SIGTERM:
        assert f"{len(kept)} of 40 answers are kept; the same command goes on" in message
    (file,) = Path(".scratch/out").glob("*/results-0.jsonl")
    with file.open("a") as torn:
        torn.write('{"results": {"7": [[1, 2')
    resumed = answer(checkpoint, TESTS, **SLOW)
    assert [line for line in journal() if line in kept] == kept
    done = [place for line in journal()[len(kept) + 1 :] for place in json.loads(line)["results"]]
    again = {place for line in kept for place in json.loads(line)["results"]} & set(done)
    assert not again
    shutil.rmtree(".scratch")
    assert answer(checkpoint, TESTS, **SLOW) == resumed
    assert [record.id for record in resumed] == [test.id for test in TESTS]


def test_workers_that_are_stopped_keep_what_they_have(checkpoint: Path) -> None:
    long = {"max_new_tokens": 110}  # two are done twice as soon
    message = stop(start(checkpoint, workers=2, **long), 3, signal.SIGTERM)
    kept = journal()
    assert "answers are kept; the same command goes on" in message
    resumed = answer(checkpoint, TESTS, **{**SLOW, **long})  # with another number of workers
    assert set(kept) <= set(journal())
    assert len(journal()) == 40
    shutil.rmtree(".scratch")
    assert answer(checkpoint, TESTS, **{**SLOW, **long}) == resumed


def test_parts_do_not_depend_on_who_begins_first(checkpoint: Path) -> None:
    """A worker that starts late finds other workers' answers, and must not take their batches."""
    answer(checkpoint, TESTS[:12], cache_tokens=300)
    (folder,) = Path(".scratch/out").glob("*")
    job = GenerationJob.model_validate_json((folder / JOB).read_text())
    for engine in ("batched", "continuous"):
        job = job.model_copy(
            update={"settings": job.settings.model_copy(update={"engines": [engine]})}
        )
        fresh, begun = Path(f"{engine}-fresh"), Path(f"{engine}-begun")
        fresh.mkdir()
        begun.mkdir()
        whole = [remaining_batches(job, Journal(fresh), rank, 2) for rank in (0, 1)]
        places = [place for part in whole for batch in part for place in batch]
        assert sorted(places) == list(range(12))
        Journal(begun).append({place: ([1], "stop") for place in whole[0][0]}, 1.0)
        assert remaining_batches(job, Journal(begun), 1, 2) == whole[1]
        assert remaining_batches(job, Journal(begun), 0, 2) == whole[0][1:]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_that_outlived_its_stage_is_waited_for(checkpoint: Path, workers: int) -> None:
    answer(checkpoint, TESTS[:4])
    (folder,) = Path(".scratch/out").glob("*")
    (folder / "results-0.jsonl").unlink()
    set_params(workers=workers)
    with hold_lock(folder / worker_lock(workers - 1)):
        done = run(generations, checkpoint, "tests.jsonl", "out.jsonl", "--run", "out.json")
    assert done.exit_code == 2
    assert f"this very run is under way in process {os.getpid()}" in done.output


def test_settings_that_shape_nothing_keep_what_is_done(checkpoint: Path) -> None:
    first = answer(checkpoint, TESTS[:4])
    lines = journal()
    idle = {"seed": 5, "top_p": 0.5, "step_tokens": 9}
    assert answer(checkpoint, TESTS[:4], **idle) == first
    assert journal() == lines


def test_a_second_call_answers_nothing_again(checkpoint: Path) -> None:
    first = answer(checkpoint, TESTS[:6])
    lines = journal()
    Path("out.jsonl").unlink()
    assert answer(checkpoint, TESTS[:6]) == first
    assert journal() == lines


def test_other_weights_or_settings_begin_anew_and_the_old_is_deleted(
    checkpoint: Path, tmp_path: Path
) -> None:
    before = answer(checkpoint, TESTS[:6])
    shutil.rmtree(checkpoint)
    make_checkpoint(checkpoint, seed=2)
    after = answer(checkpoint, TESTS[:6])
    assert after != before
    assert len(list(Path(".scratch/out").glob("*"))) == 1
    assert all(record.tokens and record.tokens <= 5 for record in answer(
        checkpoint, TESTS[:6], max_new_tokens=5)
    )  # fmt: skip
