"""`alpacare doctor --freeze`, with Git and DVC: what made each output, and nothing guessed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import run

from alpacare.cli.lineage import doctor
from alpacare.lineage.git_history import first_commits

PIPELINE = """
stages:
  first:
    cmd: python first.py
    deps: [first.py]
    params: [first]
    outs: [data.txt, run.json]
  second:
    cmd: python second.py
    deps: [data.txt, second.py]
    outs: [model]
"""
FIRST = """
import json
open("data.txt", "w").write("%s")
json.dump({"engine": "x", "versions": {"torch": "9.9", "device": "cpu"}}, open("run.json", "w"))
"""
SECOND = """
import json, os
os.mkdir("model")
json.dump({"torch": "9.9", "device": "cuda"}, open("model/versions.json", "w"))
json.dump({"gpu": "H100"}, open("model/speed.json", "w"))
"""
ONE = "f97c5d29941bfb1b2fdab0874906ab82"  # MD5 of "one"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline of two stages that has run and is committed."""
    folder = tmp_path_factory.mktemp("provenance")
    with pytest.MonkeyPatch.context() as patch:
        prepare(patch, folder.parent)
        patch.chdir(folder)
        command("git", "init", "-q")
        command("dvc", "init", "-q")
        Path("dvc.yaml").write_text(PIPELINE)
        Path("params.yaml").write_text("first: {rate: 1.0e-5}\n")
        Path("students").mkdir()
        Path("students/ours.yaml").write_text("optimizer: {max_steps: 2}\n")
        Path("first.py").write_text(FIRST % "one")
        Path("second.py").write_text(SECOND)
        command("dvc", "repro", "-q")
        commit("first")
    return folder


@pytest.fixture
def project(finished: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it to work in."""
    prepare(monkeypatch, workspace)
    folder = workspace / "project"
    shutil.copytree(finished, folder)
    monkeypatch.chdir(folder)
    return folder


def prepare(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Keep the settings of this machine's user out, and find `dvc`."""
    patch.setenv("DVC_SITE_CACHE_DIR", str(folder / "site"))
    patch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    patch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")


def command(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def commit(message: str) -> str:
    command("git", "add", "--all")
    command(
        "git", "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-q", "-m", message
    )
    return command("git", "rev-parse", "HEAD")


def freeze(path: str = "reports/provenance.json") -> dict[str, Any]:
    result = run(doctor, "--freeze", path)
    assert result.exit_code == 0, result.output
    return json.loads(Path(path).read_text())  # type: ignore[no-any-return]


def by_path(frozen: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {out["path"]: out for out in frozen["outs"]}


def test_every_output_with_what_made_it(project: Path) -> None:
    head = command("git", "rev-parse", "HEAD")
    frozen = freeze()
    assert frozen["git"] == {"commit": head, "dirty": False, "changed": []}
    assert frozen["params"] == {"first": {"rate": 1e-5}}
    assert frozen["students"] == {"ours": {"optimizer": {"max_steps": 2}}}
    outs = by_path(frozen)
    assert outs.keys() == {"data.txt", "run.json", "model"}
    data = outs["data.txt"]
    assert data["md5"] == ONE
    assert (data["stage"], data["command"], data["size"]) == ("first", "python first.py", 3)
    assert data["params"] == {"params.yaml": {"first": {"rate": 1e-5}}}
    assert data["deps"].keys() == {"first.py"}
    assert outs["model"]["deps"]["data.txt"] == data["md5"]
    assert {out["first_commit"] for out in outs.values()} == {head}
    assert data["made_with"]["versions"] == {"torch": "9.9", "device": "cpu"}
    assert outs["model"]["made_with"] == {
        "file": "model/versions.json",
        "versions": {"torch": "9.9", "device": "cuda"},
        "speed": {"gpu": "H100"},
    }


def test_this_machine_is_told_apart(project: Path) -> None:
    here = freeze()["written_on"]
    assert here["python"] == ".".join(map(str, sys.version_info[:3]))
    assert here["packages"]["dvc"]
    assert here["cores"] >= 1
    assert here["memory_gib"] > 0
    text = json.dumps(here)
    assert str(Path.home()) not in text


def test_the_commit_is_the_first_that_held_the_hash(project: Path) -> None:
    """Through a change and back, a branch and its merge."""
    start = command("git", "rev-parse", "HEAD")
    changed = change(ONE, "2" * 32)
    back = change("2" * 32, ONE)
    command("git", "checkout", "-q", "-b", "side", changed)
    side = change("2" * 32, "3" * 32)
    command("git", "checkout", "-q", "-")
    author = ("-c", "user.name=t", "-c", "user.email=t@localhost")
    command("git", *author, "merge", "-q", "-X", "theirs", "--no-ff", "-m", "merge", "side")
    held = first_commits(Path("dvc.lock"))
    commits = [held["data.txt", md5] for md5 in (ONE, "2" * 32, "3" * 32)]
    assert commits == [start, changed, side]
    assert back not in held.values()


def change(old: str, new: str) -> str:
    """Give data.txt another hash in dvc.lock, and commit that."""
    lock = Path("dvc.lock")
    lock.write_text(lock.read_text().replace(old, new))
    return commit(f"{old} to {new}")


def test_a_renamed_output_is_new_under_its_name(project: Path) -> None:
    for path in ("dvc.yaml", "dvc.lock"):
        text = Path(path).read_text()
        Path(path).write_text(text.replace("data.txt", "other.txt"))
    renamed = commit("renamed")
    assert first_commits(Path("dvc.lock"))["other.txt", ONE] == renamed


def test_what_is_not_committed_has_no_commit(project: Path) -> None:
    Path("first.py").write_text(FIRST % "two")
    command("dvc", "repro", "-q")
    frozen = freeze()
    outs = by_path(frozen)
    assert outs["data.txt"]["first_commit"] is None
    assert outs["run.json"]["first_commit"] is not None
    assert frozen["git"]["dirty"]
    assert set(frozen["git"]["changed"]) >= {"dvc.lock", "first.py"}
    result = run(doctor, "--freeze")
    assert "3 outputs, 3 with what their stage wrote about its run; not in any commit yet: 1" in (
        result.output
    )


def test_what_was_not_pulled_or_was_changed_is_not_believed(project: Path) -> None:
    """Hashes stay, they are dvc.lock's; versions are those of the very output or none."""
    Path("run.json").unlink()
    Path("model/versions.json").unlink()
    Path("model/versions.json").write_text('{"torch": "0.0"}')
    outs = by_path(freeze())
    assert (outs["data.txt"]["made_with"], outs["run.json"]["here"]) == (None, False)
    assert outs["model"]["made_with"] == {"file": "model/speed.json", "speed": {"gpu": "H100"}}
    assert outs["run.json"]["md5"]


def test_what_was_brought_in_is_told_by_its_note(project: Path) -> None:
    Path("given.jsonl").write_text("{}\n")
    command("dvc", "add", "-q", "given.jsonl")
    assert by_path(freeze())["given.jsonl"]["first_commit"] is None
    brought = commit("brought in")
    out = by_path(freeze())["given.jsonl"]
    assert (out["stage"], out["first_commit"]) == ("given.jsonl.dvc", brought)
    assert out["made_with"] is None


def test_wrong_places(project: Path) -> None:
    Path("folder").mkdir()
    fail("folder: is a folder", "--freeze", "folder")
    Path("dvc.lock").write_text("stages: [")
    fail("dvc.lock: not valid YAML", "--freeze")
    Path("dvc.lock").unlink()
    fail("dvc.lock: no such file; run this from the repository's top folder", "--freeze")
    assert not Path("reports").exists()


def fail(told: str, *words: str) -> None:
    result = run(doctor, *words)
    assert (result.exit_code, result.output.count("\n")) == (2, 1), result.output
    assert told in result.output
