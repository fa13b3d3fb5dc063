"""Several people, several runs: what they may do to one another, in a quick clone."""

import re
import subprocess
import time
from pathlib import Path

import pytest
from clones import Clone, quick_clone

pytestmark = pytest.mark.slow

FORCED = ("dvc", "repro", "-f", "-s", "generations@demo")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return quick_clone(tmp_path_factory.mktemp("together") / "clone")


def held(lock: Path) -> bool:
    """Whether a process holds a lock: only its kernel knows."""
    return subprocess.run(["flock", "--nonblock", lock, "true"], check=False).returncode != 0


def test_a_second_run_in_one_working_tree_is_refused(clone: Clone) -> None:
    """By DVC where it sees the first one's process, by the stage where it does not."""
    before = clone.hashes()
    first = subprocess.Popen(
        FORCED, cwd=clone.folder, env=clone.environment, stdout=subprocess.PIPE, text=True
    )
    lock = clone.folder / ".dvc/tmp/stage.lock"
    until = time.monotonic() + 60
    while not held(lock) and time.monotonic() < until:
        time.sleep(0.05)
    second = clone.run(*FORCED)
    assert second.returncode != 0
    assert "busy" in second.stderr or "Unable to acquire lock" in second.stderr
    third = clone.run("unshare", "--pid", "--fork", *FORCED)
    if "Operation not permitted" not in third.stderr:
        assert third.returncode != 0
        assert "another stage of this pipeline is under way" in third.stderr
    told, _ = first.communicate(timeout=120)
    assert first.returncode == 0, told
    assert clone.hashes() == before
    assert clone.repro() == set()
    assert clone.git("status", "--short") == ""


def test_git_add_never_takes_data_weights_ledger_or_keys(clone: Clone) -> None:
    """Also after a stage has failed: DVC then takes back what it had told Git to ignore."""
    (clone.folder / ".env").write_text("OPENAI_API_KEY=sk-planted\n")
    (clone.folder / ".ledger").mkdir(exist_ok=True)
    (clone.folder / ".ledger/ledger.sqlite").write_text("answers\n")
    (clone.folder / "models/.scratch/run").mkdir(parents=True)
    (clone.folder / "models/.scratch/run/weights.safetensors").write_text("weights\n")
    with clone.edited("params.yaml", "  requests: 59", "  requests: 60"):
        assert clone.run("dvc", "repro").returncode != 0
        listed = clone.git("add", "--all", "--dry-run").splitlines()
    assert listed == ["add 'params.yaml'"]
    clone.ok("dvc", "checkout")
    clone.git("checkout", "-q", "HEAD", "--", ".")
    assert clone.git("status", "--short") == ""


@pytest.mark.parametrize(
    "page",
    ["dataset", "doctor", "own-data", "publish", "report", "review", "sweep", "trace"],
)
def test_the_commands_of_the_documents_work(clone: Clone, page: str) -> None:
    clone.run_page(page)


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
        ("dvc params diff HEAD~1", "checkpoint.optimizer.epochs"),
        ("alpacare scores", "overlap"),
    ],
)
def test_a_clone_without_data_shows_what_git_holds(
    clone: Clone, bare: Path, command: str, shown: str
) -> None:
    assert shown in clone.ok(*command.split(), cwd=bare)


def test_a_comparison_without_data_says_so_in_one_line(clone: Clone, bare: Path) -> None:
    done = clone.run("alpacare", "diff", "HEAD~1", cwd=bare)
    assert done.returncode == 2
    (told,) = done.stderr.splitlines()
    assert re.search(r"neither in DVC's cache nor in its remote; run `dvc \w+", told)
