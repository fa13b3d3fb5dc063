"""A kill of `make repro` at any moment: the same command goes on, and comes to the same bytes.

The pipeline is three quick stages; its dvc.lock is as long as one of many cells, so that DVC is
often writing it.
"""

import json
import multiprocessing
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, run

from alpacare.cli.main import main
from alpacare.core.file_lock import hold_lock
from alpacare.core.settings import read_yaml
from alpacare.sharing.tracked import dvc_add

KILLS = 20
CELLS = 80  # in dvc.lock, of stages that are no more
OUTS = ("one", "two", "three")
LOG = Path("output.log")
COPY = Path(".dvc/tmp/dvc.lock.copy")
RWLOCK = Path(".dvc/tmp/rwlock")
STAGE = """\
from pathlib import Path
import click
from alpacare.core.command import FILE, Stage

@click.command(cls=Stage)
@click.argument("source", type=FILE)
@click.argument("out", type=FILE)
def main(source, out):
    with Path("runs.log").open("a") as log:
        log.write(f"{out}\\n")
    out.write_text(source.read_text() * 2)

main()
"""
ENTRY = """\
  {1}:
    cmd: {2} stage.py {0} {1}
    deps: [{0}]
    outs: [{1}]
"""
CELL = """\
  cell{0}:
    cmd: an earlier one
    outs:
    - path: cells/{0}
      hash: md5
      md5: a{0:031x}
      size: 1
"""
_FORKS = multiprocessing.get_context("forkserver")  # DVC takes a second to load
_FORKS.set_forkserver_preload(
    ["alpacare.pipeline.check", "alpacare.pipeline.repair", "dvc.cli.parser", "dvc.commands.repro",
     "dvc.repo.reproduce", "dvc.schema", "dvc_render", "networkx", "psutil", "scmrepo.git"]
)  # fmt: skip


@pytest.fixture(scope="module")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repair") / "project"
    folder.mkdir()
    entries = [ENTRY.format(*pair, sys.executable) for pair in pairwise(("in", *OUTS))]
    (folder / "stage.py").write_text(STAGE)
    (folder / "dvc.yaml").write_text("stages:\n" + "".join(entries))
    cells = "".join(map(CELL.format, range(CELLS)))
    (folder / "dvc.lock").write_text(f"schema: '2.0'\nstages:\n{cells}")
    (folder / ".gitignore").write_text("/one\n/two\n/three\n/*.log\n/notes\n/more\n")
    (folder / "in").write_text("0\n")
    (folder / "notes").write_text("notes\n")
    dvc = [sys.executable, "-m", "dvc"]
    name = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    for words in (
        ["git", "init", "-q"],
        [*dvc, "init", "-q"],
        [*dvc, "config", "core.analytics", "false"],
        [*dvc, "add", "-q", "notes"],
        ["git", "add", "--all"],
        ["git", *name, "commit", "-q", "-m", "start"],
    ):
        subprocess.run(words, cwd=folder, check=True)
    return folder


@pytest.fixture
def project(built_once: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: the pipeline, which has not run."""
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY / "src"))
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(workspace / "site"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    shutil.copytree(built_once, workspace / "project")
    monkeypatch.chdir(workspace / "project")
    return workspace / "project"


@pytest.fixture(scope="module")
def finished_once(built_once: Path) -> Path:
    folder = built_once.with_name("finished")
    shutil.copytree(built_once, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(REPOSITORY / "src"))
        patch.setenv("DVC_SITE_CACHE_DIR", str(folder.parent / "site"))
        patch.chdir(folder)
        repro()
        LOG.unlink()
        subprocess.run(["git", "add", "dvc.lock"], check=True)
    return folder


@pytest.fixture
def finished(finished_once: Path, project: Path) -> Path:
    """The current folder: the pipeline after a run."""
    shutil.rmtree(project)
    shutil.copytree(finished_once, project)
    os.chdir(project)
    return project


def start() -> BaseProcess:
    """Start what `make repro` runs, in a process group of its own."""
    process = _FORKS.Process(target=_check_and_repro, args=(dict(os.environ),))
    process.start()
    return process


def _check_and_repro(environment: dict[str, str]) -> None:
    from dvc.cli import main as dvc  # type: ignore[import-untyped]

    os.setsid()
    os.environ.update(environment)
    with LOG.open("a") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    with suppress(SystemExit):
        main(["check"])  # it finds no params.yaml here, after it has repaired
    sys.argv = ["dvc", "repro"]  # DVC reads its level of detail from it
    sys.exit(dvc())


def repro() -> None:
    process = start()
    process.join()
    assert process.exitcode == 0, LOG.read_text()


def events() -> int:
    """Count in the output where a stage starts, and where DVC writes that it has ended."""
    text = LOG.read_text()
    return text.count("Running stage") + text.count("Updating lock file")


def outputs() -> dict[str, Any]:
    """Give what the stages wrote, and what DVC recorded of them."""
    recorded = read_yaml(Path("dvc.lock"))["stages"]
    return {name: (Path(name).read_text(), recorded[name]) for name in OUTS}


def test_a_kill_at_any_moment_changes_no_byte(project: Path) -> None:
    begun = time.monotonic()
    repro()
    a_stage = (time.monotonic() - begun) / len(OUTS)
    chance = random.Random(17)
    kills = number = 0
    while kills < KILLS:
        event = events() + chance.randrange(4)
        process = start()
        while process.exitcode is None and events() < event:
            time.sleep(0.01)
        process.join(chance.uniform(0, a_stage / 2))
        if process.exitcode is None:
            with suppress(ProcessLookupError):  # it has just ended, or has no group yet
                os.kill(process.pid or 0, signal.SIGSTOP)  # it starts nothing more
                os.killpg(process.pid or 0, signal.SIGKILL)
            process.kill()
            process.join()
            kills += 1
        else:
            assert process.exitcode == 0, LOG.read_text()
            assert Path("three").read_text() == f"{number}\n" * 8
            number += 1
            Path("in").write_text(f"{number}\n")
    repro()
    after_kills = outputs()
    shutil.rmtree(".dvc/cache")
    for name in OUTS:
        Path(name).unlink()
    subprocess.run(["git", "checkout", "-q", "dvc.lock"], check=True)
    repro()
    assert outputs() == after_kills


def cut(name: str, end: int) -> None:
    path = Path(name)
    path.write_bytes(path.read_bytes()[:end])


def cut_in_a_hash() -> None:
    """What is left is YAML, and DVC's schema takes it."""
    cut("dvc.lock", Path("dvc.lock").read_bytes().rindex(b"md5: ") + 20)


def cut_without_a_copy() -> None:
    cut("dvc.lock", 300)
    COPY.unlink()


def cut_with_an_old_copy() -> None:
    """Git's is newer."""
    cut("dvc.lock", 300)
    os.utime(COPY, (0, 0))


def cut_before_git_had_it() -> None:
    Path("more").write_text("more\n")
    dvc_add([Path("more")])
    cut("more.dvc", 30)


def list_a_process(started: float) -> None:
    """Leave DVC's list of a run that was killed, whose number this process has."""
    user = {"pid": os.getpid(), "cmd": "dvc repro"}
    RWLOCK.write_text(json.dumps({"write": {str(Path("one").absolute()): user}, "read": {}}))
    os.utime(RWLOCK, (started, started))


COPIED = "dvc.lock: was cut off, .* restored from the copy of 20"
IN_GIT = "was cut off, .* restored from Git's index"
LEFT = "rwlock: removed, as a run that was killed left it"


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        pytest.param(lambda: cut("dvc.lock", 0), COPIED, id="empty"),
        pytest.param(lambda: cut("dvc.lock", 4000), COPIED, id="half"),
        pytest.param(cut_in_a_hash, COPIED, id="in a hash"),
        pytest.param(cut_without_a_copy, f"dvc.lock: {IN_GIT}", id="no copy"),
        pytest.param(cut_with_an_old_copy, f"dvc.lock: {IN_GIT}", id="old copy"),
        pytest.param(lambda: cut("notes.dvc", 0), f"notes.dvc: {IN_GIT}", id="empty .dvc"),
        pytest.param(lambda: cut("notes.dvc", 30), f"notes.dvc: {IN_GIT}", id="half a .dvc"),
        pytest.param(cut_before_git_had_it, "more: tracked by DVC anew", id="new .dvc"),
        pytest.param(lambda: RWLOCK.write_text('{"write": {"/on'), LEFT, id="rwlock"),
        pytest.param(lambda: list_a_process(started=1), LEFT, id="number given anew"),
    ],
)
def test_what_was_cut_off_is_restored_and_nothing_runs_again(
    finished: Path, damage: Callable[[], None], told: str
) -> None:
    before = outputs()
    damage()
    repro()
    assert re.search(told, LOG.read_text())
    assert outputs() == before
    assert len(Path("runs.log").read_text().splitlines()) == len(OUTS)
    assert Path("notes.dvc").read_text().endswith("path: notes\n")


def test_a_folder_named_dvc_is_no_data(finished: Path) -> None:
    """A lock file that has no other version is removed, and stands for no data."""
    shutil.rmtree(".git")
    subprocess.run(["git", "init", "-q"], check=True)
    COPY.unlink()
    Path("dvc").mkdir()
    Path("dvc/notes").write_text("mine\n")
    cut("dvc.lock", 300)
    output = run(main, "check").output
    assert "dvc.lock: was cut off, as by a kill while DVC wrote it; removed" in output
    assert "tracked" not in output
    assert not Path("dvc.dvc").exists()


def test_what_is_in_use_is_left_alone(finished: Path) -> None:
    cut("dvc.lock", 300)
    with hold_lock(Path(".dvc/tmp/lock")):
        result = run(main, "check")
    assert result.exit_code == 2
    assert f".dvc/tmp: DVC is under way in process {os.getpid()}" in result.stderr
    assert len(Path("dvc.lock").read_bytes()) == 300
    list_a_process(started=time.time())
    run(main, "check")
    assert RWLOCK.exists()


def test_a_merge_conflict_is_for_people_to_settle(finished: Path) -> None:
    text = "<<<<<<< HEAD\nschema: '2.0'\n=======\nschema: '2.0'\n>>>>>>> other\n"
    Path("dvc.lock").write_text(text)
    result = run(main, "check")
    assert result.exit_code == 2
    assert "dvc.lock: has a merge conflict; docs/teamwork.md" in result.stderr
    assert Path("dvc.lock").read_text() == text
