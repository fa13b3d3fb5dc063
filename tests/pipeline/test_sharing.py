"""One team, two clones: what one has made, the other has, and an edit runs no more than it must."""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from clones import CHEAP, Clone, quick_clone, ran

sys.path.append(str(Path(__file__).parents[1] / "sharing"))

from servers import KEY, s3_server, ssh_server, sshd_path

pytestmark = pytest.mark.slow

JUDGE = "prompts/judges/overlap/settings.yaml"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """The clone of who ran everything, with keys for S3."""
    clone = quick_clone(tmp_path_factory, "sharing")
    clone.environment |= KEY
    yield clone
    shutil.rmtree(clone.folder.parent, ignore_errors=True)


def colleague(made: Clone, name: str) -> Clone:
    """Clone it onto a colleague's machine: no cache, no ledger, no key of a vendor."""
    folder = made.folder.parent / name
    made.git("clone", "-q", str(made.folder), str(folder))
    other = Clone(folder)
    other.environment = {
        **{key: text for key, text in made.environment.items() if not key.startswith("OPENAI")},
        "PYTHONPATH": str(folder / "src"),
        "DVC_SITE_CACHE_DIR": str(folder.parent / f"site-{name}"),
    }
    return other


def alpacare(clone: Clone, *words: str) -> str:
    """Run a command of ours as a user of this clone does."""
    return clone.ok("alpacare", *words)


def test_a_colleague_judges_anew_what_was_pushed_to_s3(made: Clone) -> None:
    with s3_server("lab") as s3:
        alpacare(made, "remote", "s3://lab/team", "--endpoint-url", s3.url)
        assert re.search(r"pushed \d+ files and \d+ runs", alpacare(made, "push"))
        made.commit("a remote")
        other = colleague(made, "s3")
        assert "nobody has pushed" not in alpacare(other, "pull")
        assert other.repro() == set()
        assert not (other.folder / ".ledger").exists()
        with other.edited(JUDGE, "tie_margin: 0.0", "tie_margin: 0.01"):
            # what is said of the base may be the same as before
            judged = other.repro() - {"contestant_scores"}
            assert judged == {"judgments", "contestant_judgments", "scores"}
        other.repro_from_cache()


@pytest.mark.skipif(sshd_path() is None, reason="no sshd is installed")
def test_the_same_over_ssh(made: Clone) -> None:
    folder = made.folder.parent
    with ssh_server(folder / "sshd") as server:
        alpacare(made, "remote", server.url(folder / "store"))
        key = ("remote", "modify", "--local", "storage", "keyfile", str(server.key))
        made.ok("dvc", *key)
        alpacare(made, "push")
        made.commit("over SSH")
        other = colleague(made, "ssh")
        other.ok("dvc", *key)
        alpacare(other, "pull")
        assert other.repro() == set()
    made.ok("dvc", "remote", "modify", "--local", "--unset", "storage", "keyfile")


def recipe() -> list[str]:
    """The commands of docs/teamwork.md against a conflict."""
    text = (Path(__file__).parents[2] / "docs/teamwork.md").read_text()
    block = re.search(r"## A merge conflict in dvc.lock\n.*?```console\n(.*?)```", text, re.DOTALL)
    assert block
    return [line[2:] for line in block[1].splitlines() if line.startswith("$ ")]


def change(clone: Clone, branch: str, path: str, old: str, new: str) -> None:
    """Edit one setting on a branch of its own, run, commit."""
    clone.git("checkout", "-q", "-b", branch)
    file = clone.folder / path
    file.write_text(file.read_text().replace(old, new, 1))
    clone.ok("dvc", "repro")
    clone.commit(branch)


def test_the_recipe_against_a_conflict_in_the_lock_computes_nothing_again(made: Clone) -> None:
    folder = made.folder.parent
    (folder / "shared").mkdir()
    alpacare(made, "remote", str(folder / "shared"))
    alpacare(made, "push")
    made.commit("a folder")
    theirs = colleague(made, "theirs")
    alpacare(theirs, "pull")
    change(theirs, "confidence", "params.yaml", "confidence: 0.95", "confidence: 0.90")
    alpacare(theirs, "push")
    change(made, "verdicts", JUDGE, "tie_margin: 0.0", "tie_margin: 0.01")
    made.git("remote", "add", "theirs", str(theirs.folder))
    made.git("fetch", "-q", "theirs")
    name = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    merge, *commands = recipe()
    assert merge == "git merge origin/main"
    conflict = made.run("git", *name, "merge", "theirs/confidence")
    assert "CONFLICT" in conflict.stdout, f"{conflict.stdout}{conflict.stderr}"
    assert "dvc.lock" in conflict.stdout
    made.environment |= {
        f"GIT_{who}_{what}": "test@localhost"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    told = "".join(made.ok("bash", "-euo", "pipefail", "-c", line) for line in commands)
    for student in ("all-rows", "half-rows"):
        assert f"Stage 'judgments@demo-{student}-0' is cached - skipping run" in told
    again = {cell.split("@")[0] for cell in ran(told)}
    assert "scores" in again
    assert again <= CHEAP, "nobody had my verdicts' scores with their confidence"
    assert made.git("status", "--short") == ""
    assert made.repro() == set()
    assert "<<<<" not in (made.folder / "dvc.lock").read_text()
