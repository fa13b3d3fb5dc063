"""A Git and DVC repository whose pipeline is `cp` and `sort`: for what moves to and fro."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import run
from servers import KEY, S3, Cuttable, line_to, s3_server

PIPELINE = """\
stages:
  responses:
    cmd: mkdir -p data && cp seeds.txt data/responses.txt
    deps: [seeds.txt]
    outs: [data/responses.txt]
  checkpoint:
    cmd: >-
      mkdir -p models/checkpoint && sort -r data/responses.txt > models/checkpoint/weights &&
      echo 1 > models/checkpoint/config
    deps: [data/responses.txt]
    outs:
      - models/checkpoint:
          remote: weights
"""
IGNORED = "/data/responses.txt\n/data/packs/*.jsonl\n/models/checkpoint\n/.ledger/\n"
WEIGHTS = Path("models/checkpoint/weights")


def build(folder: Path) -> None:
    """Make it, run it, commit it."""
    folder.mkdir()
    (folder / "seeds.txt").write_text("".join(f"{number}\n" for number in range(20_000)))
    (folder / "dvc.yaml").write_text(PIPELINE)
    (folder / ".gitignore").write_text(IGNORED)
    command(folder, "git", "init", "-q", "-b", "main")
    dvc(folder, "init", "-q")
    dvc(folder, "config", "core.analytics", "false")
    dvc(folder, "config", "core.autostage", "true")
    dvc(folder, "repro", "-q")
    command(folder, "git", "add", "--all")
    commit(folder, "start")


def clone(folder: Path, target: Path) -> Path:
    """Clone it as a colleague would: without its cache."""
    command(folder, "git", "clone", "-q", folder, target)
    shutil.copy(folder / ".dvc/config", target / ".dvc/config")  # committed or not
    return target


def commit(folder: Path, message: str) -> None:
    name = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    command(folder, "git", *name, "commit", "-q", "--allow-empty", "--all", "-m", message)


def dvc(folder: Path, *words: str) -> str:
    return command(folder, sys.executable, "-m", "dvc", *words)


def command(folder: Path, *words: object) -> str:
    done = subprocess.run(
        [str(word) for word in words],
        cwd=folder,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Takes some seconds; tests get copies."""
    folder = tmp_path_factory.mktemp("built") / "project"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_SITE_CACHE_DIR", str(folder.parent / "site"))
        build(folder)
    return folder


@pytest.fixture
def project(built_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: two stages that have run, and no user's settings or keys."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    monkeypatch.setenv("DVC_GLOBAL_CONFIG_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "project"
    shutil.copytree(built_once, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with s3_server("lab", "weights") as server:
        yield server


@pytest.fixture
def line(s3: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cuttable]:
    """A line to the server, whose buckets are empty, and a key for it."""
    for bucket in ("lab", "weights"):
        for key in s3.keys(bucket):
            s3.client.delete_object(Bucket=bucket, Key=key)
    for name, value in KEY.items():
        monkeypatch.setenv(name, value)
    with line_to(s3.port) as line:
        yield line


def ok(alpacare: object, *words: object) -> str:
    result = run(alpacare, *words)
    assert result.exit_code == 0, result.output
    return result.output


def refused(alpacare: object, *words: object) -> str:
    """Run what must fail with one line and status 2."""
    result = run(alpacare, *words)
    assert result.exit_code == 2, result.output
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.output
    return result.stderr


def forget(folder: Path) -> None:
    """Leave what a fresh clone has."""
    for name in (".dvc/cache", ".dvc/tmp", "models", "data"):
        shutil.rmtree(folder / name, ignore_errors=True)
