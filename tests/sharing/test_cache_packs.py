"""Answers that one person paid for, shared with others in cache packs."""

import os
import re
import shutil
from pathlib import Path

import pytest
from conftest import REPOSITORY, run
from two_stages import build, clone, command, commit, ok, refused

from alpacare.cli.remotes import pull, push, remote
from alpacare.llm.cache_pack import Entry, read_pack
from alpacare.llm.ledger import Ledger, default_path

PACKS = Path("data/packs")


@pytest.fixture(scope="module")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a remote, and a ledger that holds what its recordings hold."""
    folder = tmp_path_factory.mktemp("built") / "project"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_SITE_CACHE_DIR", str(folder.parent / "site"))
        build(folder)
        patch.chdir(folder)
        (folder.parent / "store").mkdir()
        ok(remote, folder.parent / "store")
        recordings = folder / "data/recordings/seven.jsonl"
        recordings.parent.mkdir()
        recordings.write_text("")
        command(folder, "git", "add", "--all")
        commit(folder, "a remote")
    return folder


@pytest.fixture
def project(built_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    folder = tmp_path / "project"
    shutil.copytree(built_once, folder)
    monkeypatch.chdir(folder)
    ok(remote, tmp_path / "store")
    commit(folder, "a store of its own")
    return folder


def entries() -> list[Entry]:
    """Seven real answers: those of the embedded default."""
    return list(read_pack(REPOSITORY / "data/recordings/instructions.jsonl"))[:7]


def store(*which: int) -> None:
    with Ledger(default_path()) as ledger:
        ledger.import_entries(entries()[each] for each in which)


def known() -> set[str]:
    with Ledger(default_path()) as ledger:
        return {entry.key for entry in ledger.entries()}


def keys(*which: int) -> set[str]:
    return {entries()[each].key for each in which}


def packs() -> list[Path]:
    return sorted(PACKS.glob("*.jsonl"))


def test_new_answers_make_a_pack_and_only_once(project: Path) -> None:
    store(0, 1, 2)
    assert "3 answers that no pack held" in ok(push)
    (pack,) = packs()
    assert re.fullmatch(r"[0-9a-f]{12}\.jsonl", pack.name)
    assert {entry.key for entry in read_pack(pack)} == keys(0, 1, 2)
    staged = command(project, "git", "status", "--short").splitlines()
    assert staged == [f"A  {pack}.dvc"], "the .dvc file and nothing else is for Git"
    assert "answers" not in ok(push)
    store(3)
    assert "1 answer" in ok(push)
    assert len(packs()) == 2


def test_recordings_and_an_empty_ledger_make_none(project: Path) -> None:
    assert "answers" not in ok(push)
    assert not default_path().exists()
    shutil.copy(REPOSITORY / "data/recordings/instructions.jsonl", "data/recordings/seven.jsonl")
    store(0, 1)
    assert "answers" not in ok(push), "everybody has them from Git"
    assert packs() == []


def test_two_peoples_answers_merge_without_a_conflict(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = clone(project, tmp_path / "other")
    store(0, 1, 2)
    ok(push)
    commit(project, "mine")
    monkeypatch.chdir(other)
    store(2, 3)
    ok(push)
    commit(other, "theirs")
    command(other, "git", "-c", "user.name=t", "-c", "user.email=t@localhost", "pull", "-q",
            "--no-rebase", "--no-edit", "origin", "main")  # fmt: skip
    text = ok(pull)
    assert "2 answers imported, 1 were there already" in text
    assert known() == keys(0, 1, 2, 3)
    assert len(packs()) == 2


def test_a_push_that_stopped_before_dvc_add_is_completed(project: Path) -> None:
    store(0)
    ok(push)
    (pack,) = packs()
    command(project, "git", "rm", "-q", "--cached", f"{pack}.dvc")
    Path(f"{pack}.dvc").unlink()
    (PACKS / "fresh.jsonl").write_text("half a li")
    ok(push)
    assert Path(f"{pack}.dvc").exists()


def test_a_damaged_answer_is_not_packed_and_is_named(project: Path) -> None:
    store(0, 1)
    with Ledger(default_path()) as ledger:
        ledger.connection.execute(
            "UPDATE entries SET response = '{}' WHERE key = ?", (entries()[0].key,)
        )
    result = run(push)
    assert result.exit_code == 0
    assert f"left out: {entries()[0].key[:12]}" in result.stderr
    assert {entry.key for entry in read_pack(packs()[0])} == keys(1)


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        (default_path(), "no database, no database, no database", "is not a database"),
        (PACKS / "0123456789ab.jsonl", "{", "0123456789ab.jsonl:1: not valid JSON"),
        (Path("data/recordings/seven.jsonl"), "[]\n", "seven.jsonl:1: expected a JSON object"),
    ],
)
def test_what_cannot_be_read_is_one_line(
    project: Path, path: Path, text: str, message: str
) -> None:
    store(0)
    for extra in path.parent.glob("ledger.sqlite-*"):
        extra.unlink()
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    assert message in refused(push)


def test_a_pack_that_is_no_pack_stops_the_pull(project: Path) -> None:
    store(0)
    ok(push)
    (PACKS / "0123456789ab.jsonl").write_text('{"end": 3}\n')
    assert "it was cut off" in refused(pull)
