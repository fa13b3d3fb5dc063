"""`alpacare push` and `pull`, with servers that speak S3 and SSH, on loopback."""

import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY
from servers import KEY, S3, Cuttable, free_port, ssh_server, sshd_path
from two_stages import (
    WEIGHTS,
    built_once,
    clone,
    command,
    commit,
    dvc,
    forget,
    line,
    ok,
    project,
    refused,
    s3,
)

from alpacare.cli.remotes import pull, push, remote
from alpacare.sharing.tracked import dvc_track

__all__ = ["built_once", "line", "project", "s3"]  # fixtures


def pull_elsewhere(project: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Pull in another clone; give its output."""
    other = clone(project, folder)
    monkeypatch.chdir(other)
    text = ok(pull)
    assert (other / WEIGHTS).read_bytes() == (project / WEIGHTS).read_bytes()
    assert "Running stage" not in dvc(other, "repro")
    assert command(other, "git", "status", "--short") in ("", " M .dvc/config\n")
    monkeypatch.chdir(project)
    return text


def test_s3_there_and_back(
    project: Path, s3: S3, line: Cuttable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ok(remote, "s3://lab/team", "--weights", "s3://weights/team", "--endpoint-url", line.url)
    assert "pushed 4 files and 2 runs" in ok(push)
    assert any(key.endswith(".dir") for key in s3.keys("weights"))
    assert not any(key.endswith(".dir") for key in s3.keys("lab"))
    assert "pushed 0 files and 0 runs" in ok(push)
    assert "pulled 4 files and 2 runs" in pull_elsewhere(project, tmp_path / "other", monkeypatch)


def test_a_folder_there_and_back(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ok(remote, tmp_path / "store")
    ok(push)
    pull_elsewhere(project, tmp_path / "other", monkeypatch)
    shutil.rmtree(tmp_path / "store")
    for each in (push, pull):
        assert "its disk not mounted?" in refused(each)
    assert not (tmp_path / "store").exists(), "it may be a disk's mount point"


@pytest.mark.skipif(sshd_path() is None, reason="no sshd is installed")
def test_ssh_there_and_back(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ssh_server(tmp_path / "sshd") as server:
        ok(remote, server.url(tmp_path / "store"))
        assert "ssh://" in refused(push), "without the key"
        dvc(project, "remote", "modify", "--local", "storage", "keyfile", str(server.key))
        ok(push)
        other = clone(project, tmp_path / "other")
        shutil.copy(project / ".dvc/config.local", other / ".dvc")
        monkeypatch.chdir(other)
        ok(pull)
        assert (other / WEIGHTS).read_bytes() == (project / WEIGHTS).read_bytes()
        assert "Running stage" not in dvc(other, "repro")
    text = refused(pull)
    assert "ssh://" in text
    assert "docs/remotes.md" in text


# ---- when it fails -----------------------------------------------------------------------------


def test_a_push_that_is_cut_off_says_so_and_the_next_one_completes(
    project: Path,
    s3: S3,
    line: Cuttable,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ok(remote, "s3://lab/team", "--endpoint-url", line.url)
    line.cut_after(2_000)
    text = refused(push)
    assert "s3://lab/team" in text
    assert "give the same command again" in text
    assert len(s3.keys("lab")) < 6
    line.repair()
    ok(push)
    assert len(s3.keys("lab")) == 6
    pull_elsewhere(project, tmp_path / "other", monkeypatch)


def test_a_pull_that_is_cut_off_keeps_nothing_in_part(project: Path, line: Cuttable) -> None:
    ok(remote, "s3://lab/team", "--endpoint-url", line.url)
    ok(push)
    weights = WEIGHTS.read_bytes()
    forget(project)
    line.cut_after(80_000)
    assert "give the same command again" in refused(pull)
    assert not WEIGHTS.exists()
    line.repair()
    ok(pull)
    assert WEIGHTS.read_bytes() == weights
    assert "up to date" in dvc(project, "status")


@pytest.mark.parametrize("which", ["list", "weights"])
def test_a_file_changed_in_the_bucket_is_refused_and_its_line_helps(
    project: Path, s3: S3, line: Cuttable, which: str
) -> None:
    ok(remote, "s3://lab/team", "--endpoint-url", line.url)
    ok(push)
    cache = shutil.copytree(".dvc/cache", "../cache-copy")
    mine = [key for key in s3.keys("lab") if "/weights/" in key]
    key = next(
        key for key in mine if (key[-4:] == ".dir" if which == "list" else size(s3, key) > 999)
    )
    content = s3.client.get_object(Bucket="lab", Key=key)["Body"].read()
    for bad in (content[:-9], content.replace(b"1", b"2")):
        s3.client.put_object(Bucket="lab", Key=key, Body=bad)
        forget(project)
        text = refused(pull)
        assert "models/checkpoint: was changed on the remote or is not whole" in text
        assert not WEIGHTS.exists()
        assert key.rpartition("/")[2] not in " ".join(map(str, Path(".dvc/cache").rglob("*")))
    for place in re.findall(r"s3://lab/([^\s,]+)", text):
        s3.client.delete_object(Bucket="lab", Key=place)
    shutil.rmtree(".dvc/cache")
    shutil.copytree(cache, ".dvc/cache")
    ok(push)
    forget(project)
    ok(pull)
    assert WEIGHTS.exists()


def test_a_file_gone_from_a_folder_in_the_bucket_names_the_folders_list(
    project: Path, s3: S3, line: Cuttable
) -> None:
    """While the list exists, DVC regards the folder as pushed, and pushes no file of it again."""
    ok(remote, "s3://lab/team", "--endpoint-url", line.url)
    ok(push)
    key = next(key for key in s3.keys("lab") if "/weights/" in key and size(s3, key) > 999)
    s3.client.delete_object(Bucket="lab", Key=key)
    forget(project)
    text = refused(pull)
    assert "models/checkpoint: was changed on the remote or is not whole" in text
    assert ".dir," in text


def size(s3: S3, key: str) -> int:
    length: int = s3.client.head_object(Bucket="lab", Key=key)["ContentLength"]
    return length


def test_a_run_changed_in_the_bucket_is_left_out(project: Path, s3: S3, line: Cuttable) -> None:
    ok(remote, "s3://lab/team", "--endpoint-url", line.url)
    ok(push)
    key = next(key for key in s3.keys("lab") if "/runs/" in key)
    content = s3.client.get_object(Bucket="lab", Key=key)["Body"].read()
    s3.client.put_object(Bucket="lab", Key=key, Body=content.replace(b"cp ", b"mv "))
    forget(project)
    text = ok(pull)
    assert "1 run of stages\n" in text
    assert "left out: 1 run of" in text
    assert len([path for path in Path(".dvc/cache/runs").rglob("*") if path.is_file()]) == 1


def test_what_nobody_has_pushed_is_named_and_the_rest_is_pulled(
    project: Path, s3: S3, line: Cuttable
) -> None:
    ok(remote, "s3://lab/team", "--endpoint-url", line.url)
    ok(push)
    for key in s3.keys("lab"):
        if "/weights/" in key:
            s3.client.delete_object(Bucket="lab", Key=key)
    forget(project)
    text = ok(pull)
    assert "nobody has pushed models/checkpoint" in text
    assert len(text.splitlines()) == 2
    assert Path("data/responses.txt").exists()
    assert "not pushed: models/checkpoint" in ok(push)
    assert "Running stage 'checkpoint'" in dvc(project, "repro")
    assert "pushed 3 files" in ok(push)


def test_a_remote_that_is_not_there_is_one_line(
    project: Path, line: Cuttable, monkeypatch: pytest.MonkeyPatch
) -> None:
    ok(remote, "s3://elsewhere/team", "--endpoint-url", line.url)
    assert "s3://elsewhere/team: does not exist" in refused(push)
    ok(remote, "s3://lab/team", "--endpoint-url", f"http://127.0.0.1:{free_port()}")
    assert "s3://lab/team: Could not connect" in refused(push)
    ok(remote, f"ssh://127.0.0.1:{free_port()}/team")
    assert "ssh://127.0.0.1" in refused(pull)
    for name in KEY:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    ok(remote, "s3://lab/team", "--endpoint-url", line.url)
    assert "credentials" in refused(pull)


def test_files_changed_by_hand_are_not_overwritten(project: Path, tmp_path: Path) -> None:
    ok(remote, tmp_path / "store")
    ok(push)
    Path("data/responses.txt").chmod(0o644)
    Path("data/responses.txt").unlink()
    Path("data/responses.txt").write_text("mine\n")
    assert "data/responses.txt: was changed here" in refused(pull)
    assert Path("data/responses.txt").read_text() == "mine\n"


def test_a_lock_that_git_could_not_merge_is_no_fault_of_the_remote(
    project: Path, tmp_path: Path
) -> None:
    ok(remote, tmp_path / "store")
    Path("dvc.lock").write_text("<<<<<<< HEAD\n" + Path("dvc.lock").read_text())
    for each in (push, pull):
        text = refused(each)
        assert "dvc.lock" in text
        assert "store" not in text


def test_no_remote_at_all(project: Path) -> None:
    for each in (push, pull):
        assert "no remote is set" in refused(each)


def test_a_server_that_never_answers_is_given_up(
    project: Path, line: Cuttable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        ok(remote, "s3://lab/team", "--endpoint-url", url)
        dvc(project, "remote", "modify", "storage", "read_timeout", "1")
        assert "s3://lab/team" in refused(push)


def test_plain_dvc_pull_before_and_after_a_team_has_a_remote(project: Path, tmp_path: Path) -> None:
    """First it says that there is no remote; then all comes, what was fetched too."""
    shutil.copy(REPOSITORY / ".dvc/config", ".dvc/config")
    for path, where in (
        (Path("models/published/tiny"), "weights"),
        (Path("data/rows.jsonl"), None),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{path}\n")
        dvc_track(path, {"licence": "MIT"}, remote=where)
    commit(project, "the repository's own settings")
    fresh = clone(project, tmp_path / "fresh")
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "pull"],
        cwd=fresh,
        capture_output=True,
        text=True,
        check=False,
    )
    said = (done.stdout + done.stderr).strip()
    assert done.returncode == 1
    assert "No remote provided and no default remote set." in said
    dvc(fresh, "checkout", "--allow-missing")
    assert "no remote is set, so there is nowhere to push to or pull from" in refused(pull)
    ok(remote, tmp_path / "store")
    ok(push)
    commit(project, "a remote")
    colleague = clone(project, tmp_path / "colleague")
    dvc(colleague, "pull")
    assert (colleague / "models/published/tiny").read_text() == "models/published/tiny\n"
    assert (colleague / "data/rows.jsonl").exists()
    assert (colleague / WEIGHTS).exists()
    assert list((tmp_path / "store/weights").rglob("*"))
