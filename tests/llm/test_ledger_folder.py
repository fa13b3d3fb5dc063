"""One ledger for all worktrees of a clone, or one that a team shares: nobody pays twice."""

import os
import subprocess
from pathlib import Path

import pytest
from asking import ask_elsewhere, questions, spending, stored
from conftest import run
from loopback import Running

from alpacare.cli.main import main
from alpacare.core.errors import BadInput
from alpacare.llm.client import ask
from alpacare.llm.endpoints import Endpoint
from alpacare.llm.ledger import Ledger, default_path

NAME = ("-c", "user.name=test", "-c", "user.email=test@localhost")


@pytest.fixture(autouse=True)
def key_and_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("BUDGET", "10")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)


def git(*words: object, cwd: Path) -> None:
    allowed = ("-c", "protocol.file.allow=always")  # for submodules
    command = ["git", *NAME, *allowed, *map(str, words)]
    subprocess.run(command, cwd=cwd, check=True, capture_output=True)


@pytest.fixture
def clone(workspace: Path) -> Path:
    """A clone with one worktree beside it, `worktree`."""
    folder = workspace / "clone"
    (folder / "project").mkdir(parents=True)
    (folder / "project/params.yaml").touch()
    git("init", "-q", cwd=folder)
    git("add", "--all", cwd=folder)
    git("commit", "-q", "-m", "start", cwd=folder)
    git("worktree", "add", "-q", workspace / "worktree", cwd=folder)
    return folder


def test_a_worktree_pays_for_nothing_that_the_clone_has_paid(clone: Path, server: Running) -> None:
    asked = questions(Endpoint(base_url=server.url), 5)
    os.chdir(clone)
    ask(asked)
    assert server.state()["calls"] == 5
    os.chdir(clone.parent / "worktree")
    ask(asked)
    assert server.state()["calls"] == 5
    assert not Path(".ledger").exists()
    assert spending().spent > 0, "BUDGET counts what all of them paid"


def test_two_worktrees_at_once_ask_for_each_answer_once(clone: Path, server: Running) -> None:
    server.configure(latency=0.05)
    asked = questions(Endpoint(base_url=server.url, in_flight=10), 100)
    both = []
    for folder, order in ((clone, asked), (clone.parent / "worktree", asked[::-1])):
        os.chdir(folder)
        both.append(ask_elsewhere(order))
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    assert list(server.state()["served"].values()) == [1] * 100
    assert stored() == 100


def test_two_clones_share_what_the_variable_names(
    workspace: Path, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = questions(Endpoint(base_url=server.url), 3)
    for name in ("mine", "hers", "team"):
        (workspace / name).mkdir()
    calls = []
    for shared in (False, True):
        if shared:
            monkeypatch.setenv("ALPACARE_LEDGER", str(workspace / "team"))
            asked = questions(Endpoint(base_url=server.url), 3, temperature=0.5)
        for clone in ("mine", "hers"):
            os.chdir(workspace / clone)
            ask(asked)
            calls.append(server.state()["calls"])
    assert calls == [3, 6, 9, 9]


@pytest.mark.parametrize("named", ["no/such", "here", "/no/such"])
def test_a_named_folder_that_is_not_there_is_refused(
    workspace: Path, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace / "here").mkdir()
    monkeypatch.setenv("ALPACARE_LEDGER", named)
    with pytest.raises(BadInput, match=f"ALPACARE_LEDGER={named}: is not the full path"):
        default_path()
    assert run(main, "ledger", "stats").exit_code == 2


def test_where_it_is(clone: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worktree = workspace / "worktree"
    bare, beside, parent = (workspace / name for name in ("bare.git", "beside", "parent"))
    git("clone", "-q", "--bare", clone, bare, cwd=workspace)
    git("worktree", "add", "-q", "--detach", beside, cwd=bare)
    git("init", "-q", parent, cwd=workspace)
    git("submodule", "add", "-q", clone, "sub", cwd=parent)
    (worktree / ".dvc/tmp/exps/standalone/x").mkdir(parents=True)
    (workspace / "none").mkdir()
    places = {
        clone: ".",
        clone / "project": ".",
        worktree: clone,
        worktree / "project": clone / "project",
        beside: bare,
        beside / "project": bare / "project",
        parent / "sub": ".",
        workspace / "none": ".",
    }
    for folder, place in places.items():
        os.chdir(folder)
        assert default_path() == Path(place, ".ledger/ledger.sqlite"), folder
    os.chdir(worktree / ".dvc/tmp/exps/standalone/x")
    monkeypatch.setenv("DVC_ROOT", str(worktree))  # as `dvc exp run --temp` sets it
    assert default_path() == clone / ".ledger/ledger.sqlite"


def test_what_a_worktree_paid_for_earlier_is_not_paid_for_again(
    clone: Path, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = questions(Endpoint(base_url=server.url), 4)
    os.chdir(clone.parent / "worktree")
    with monkeypatch.context() as patch:
        Path(".ledger").mkdir()
        patch.setenv("ALPACARE_LEDGER", str(Path(".ledger").absolute()))
        ask(asked[:3])
    with pytest.raises(BadInput) as refused:
        ask(asked)
    told = str(refused.value)
    assert told.startswith(".ledger/ledger.sqlite: has 3 answers that the ledger in use, /")
    assert server.state()["calls"] == 3
    for command in ("check", "doctor"):
        assert "has 3 answers that the ledger in use" in run(main, command).output
    variable, _, commands = told.partition("add them: ")[2].partition(" ")
    with monkeypatch.context() as patch:
        patch.setenv(*variable.split("="))
        export, add = (words.split()[1:] for words in commands.split(" && "))
        assert run(main, *export).exit_code == 0
    assert run(main, *add).exit_code == 0
    ask(asked)
    assert server.state()["calls"] == 4
    assert "ledger in use" not in run(main, "check").output


def test_an_own_ledger_stops_only_what_it_knows(
    clone: Path, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_batch, other = questions(Endpoint(base_url=server.url), 2)
    os.chdir(clone.parent / "worktree")
    with Ledger(Path(".ledger/ledger.sqlite")) as ledger:
        sql = "INSERT INTO items (key, batch, worst) VALUES (?, 'one', 1)"
        ledger.connection.execute(sql, (in_batch.key(),))
    assert len(ask([other])) == 1
    monkeypatch.delenv("BUDGET")
    with pytest.raises(BadInput, match="1 in batches under way, which `make repro` with ALPACARE"):
        ask([in_batch])
