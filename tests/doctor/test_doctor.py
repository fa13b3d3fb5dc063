"""`alpacare doctor`: a line a check, whatever else is broken; no key is ever shown."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from conftest import REPOSITORY, run
from moto.server import ThreadedMotoServer

from alpacare.cli.lineage import doctor
from alpacare.doctor.examine import CHECKS
from alpacare.llm.cache_pack import Entry
from alpacare.llm.ledger import Ledger
from alpacare.llm.request import content_key

IN_GIT = ("params.yaml", "dvc.yaml", "requirements.lock", "prompts", "configs", "students",
          "data/seeds", "data/tests", "data/recordings", "data/categories",
          "data/imported/README.md")  # fmt: skip
SECRET = "sk-never-shown-0123456789"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of what Git holds, with DVC."""
    folder = tmp_path_factory.mktemp("doctor") / "clone"
    for name in IN_GIT:
        copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copyfile
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        copy(REPOSITORY / name, folder / name)
    for words in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        subprocess.run(words, cwd=folder, check=True)
    return folder


@pytest.fixture
def clone(prepared: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(workspace / "site"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("USER", "somebody")
    folder = workspace / "clone"
    shutil.copytree(prepared, folder)
    monkeypatch.chdir(folder)
    return folder


def examine(*only: str) -> tuple[int, dict[str, list[tuple[str, str]]]]:
    """Run it, or to save time some of its checks; give the status, and (level, text) by check."""
    checks = {name: check for name, check in CHECKS.items() if name in only or not only}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("alpacare.doctor.examine.CHECKS", checks)
        result = run(doctor)
    found: dict[str, list[tuple[str, str]]] = {}
    for line in result.output.splitlines():
        level, check, text = line.split(maxsplit=2)
        found.setdefault(check, []).append((level, text))
    assert found.keys() == checks.keys(), result.output
    assert SECRET not in result.output
    levels = {level for lines in found.values() for level, _ in lines}
    assert result.exit_code == (2 if "wrong" in levels else 0)
    return result.exit_code, found


def remote(url: str, **options: str) -> None:
    """Write a default remote into DVC's settings."""
    lines = [f"    {name} = {value}\n" for name, value in {"url": url, **options}.items()]
    text = "[core]\n    remote = there\n['remote \"there\"']\n" + "".join(lines)
    Path(".dvc/config").write_text(text)


def set_endpoint() -> None:
    path = Path("params.yaml")
    path.write_text(path.read_text().replace("endpoint: recordings", "endpoint: openai", 1))


def test_a_fresh_clone_is_well(clone: Path) -> None:
    status, found = examine()
    assert status == 0
    assert found["settings"] == [("ok", "settings and prompts fine, 177 seed tasks, 70 test tasks")]
    assert found["ledger"][0][1].startswith(".ledger/ledger.sqlite: none yet")
    assert found["key"] == [
        ("ok", "endpoint recordings (instructions, responses): no server, so no key")
    ]
    assert found["budget"] == [("ok", "BUDGET is not set: nothing is spent")]
    assert found["remote"][0][0] == "warning"
    assert "no default remote" in found["remote"][0][1]


def test_an_empty_folder_gets_every_line(workspace: Path) -> None:
    status, found = examine()
    assert status == 2
    for check in ("git", "remote", "key", "settings"):
        assert found[check][0][0] == "wrong"
    assert "not a Git repository" in found["git"][0][1]
    assert "params.yaml: no such file" in found["settings"][0][1]


def test_a_lock_that_a_kill_cut_off_is_restored_and_told(clone: Path) -> None:
    Path("dvc.lock").write_text("schema: '2.0'\n")
    assert examine("dvc")[1]["dvc"] == [("ok", "dvc.lock and *.dvc files are whole")]
    Path("dvc.lock").write_text("schema: '2.0'\nstages:\n  seeds:\n")
    ((level, text),) = examine("dvc")[1]["dvc"]
    assert level == "warning"
    assert text.startswith("dvc.lock: was cut off, as by a kill while DVC wrote it; restored from")
    assert Path("dvc.lock").read_text() == "schema: '2.0'\n"


def test_a_ledger_on_a_network_disk_is_warned_of(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disks = [SimpleNamespace(mountpoint=str(clone), fstype="nfs4")]
    monkeypatch.setattr("psutil.disk_partitions", lambda all: disks)
    level, text = examine("ledger")[1]["ledger"][0]
    assert level == "warning"
    assert "is on a network disk (nfs4)" in text


def test_packages_that_differ_are_named(clone: Path) -> None:
    lock = Path("requirements.lock")
    lock.write_text(lock.read_text().replace("click==", "click==0.") + "not-installed==1.0\n")
    _, found = examine("packages")
    ((level, text),) = found["packages"]
    assert level == "warning"
    assert "click" in text
    assert "not-installed" not in text


def test_a_folder_as_a_remote(clone: Path, workspace: Path) -> None:
    remote(str(workspace / "storage"))
    (line,) = examine("remote")[1]["remote"]
    assert line[0] == "warning"
    assert "does not exist yet" in line[1]
    (workspace / "storage").mkdir()
    (line,) = examine("remote")[1]["remote"]
    assert line == ("ok", f"there (the default), {workspace / 'storage'}: exists")


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA-TEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_a_bucket_as_a_remote(clone: Path, s3: str) -> None:
    store: Any = boto3.client("s3", endpoint_url=s3)
    remote("s3://ours/storage", endpointurl=s3)
    (line,) = examine("remote")[1]["remote"]
    assert line[0] == "wrong"
    assert "bucket does not exist" in line[1]
    store.create_bucket(Bucket="ours")
    (line,) = examine("remote")[1]["remote"]
    assert line[0] == "warning"
    assert "s3://ours/storage: answers, and is empty" in line[1]
    store.put_object(Bucket="ours", Key="storage/files/md5/00/11", Body=b"x")
    assert examine("remote")[1]["remote"] == [
        ("ok", "there (the default), s3://ours/storage: answers")
    ]


def test_a_remote_that_is_down_is_given_up(clone: Path, s3: str) -> None:
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        remote("s3://ours/storage", endpointurl=f"http://127.0.0.1:{taken.getsockname()[1]}")
        status, found = examine("remote")
    ((level, text),) = found["remote"]
    assert (status, level) == (2, "wrong")
    assert "s3://ours/storage" in text


def test_a_password_in_a_remotes_address_is_not_shown(clone: Path) -> None:
    remote(f"ssh://user:{SECRET}@127.0.0.1:1/storage")
    ((_, text),) = examine("remote")[1]["remote"]
    assert "ssh://user:...@127.0.0.1:1/storage" in text


def test_a_key_is_there_or_not_and_never_shown(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_endpoint()
    lines = examine("key")[1]["key"]
    told = "endpoint openai (instructions)"
    assert lines[0][0] == "warning"
    assert f"{told}: no API key for https://api.openai.com/v1: export OPENAI_API_KEY" in lines[0][1]
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    assert examine("key")[1]["key"][0] == ("ok", f"{told}: OPENAI_API_KEY is set")
    monkeypatch.delenv("OPENAI_API_KEY")
    Path(".env").write_text(f"OPENAI_API_KEY={SECRET}\n")
    assert examine("key")[1]["key"][0] == ("ok", f"{told}: OPENAI_API_KEY is set")


@pytest.mark.parametrize(
    ("value", "level", "told"),
    [
        ("5", "ok", "BUDGET is $5.00"),
        ("-1", "wrong", "is not an amount"),
        ("x", "wrong", "BUDGET='x'"),
    ],
)
def test_the_budget(
    clone: Path, monkeypatch: pytest.MonkeyPatch, value: str, level: str, told: str
) -> None:
    monkeypatch.setenv("BUDGET", value)
    (line,) = examine("budget")[1]["budget"]
    assert line[0] == level
    assert told in line[1]


def test_a_damaged_answer_in_the_ledger(clone: Path) -> None:
    request = {"path": "/x", "endpoint": "https://a", "body": {"model": "m"}, "sample": 0}
    choice = {"finish_reason": "stop", "message": {"content": "x"}}
    response = {"model": "m", "choices": [choice]}
    with Ledger(Path(".ledger/ledger.sqlite")) as ledger:
        entry = Entry(key=content_key(request), request=request, response=response,
                      received="2026-01-31T12:00:00Z", price=0.01)  # fmt: skip
        ledger.import_entries([entry])
    assert examine("ledger")[1]["ledger"] == [
        ("ok", ".ledger/ledger.sqlite: 1 answer, as received")
    ]
    with Ledger(Path(".ledger/ledger.sqlite")) as ledger:
        ledger.connection.execute("UPDATE entries SET response = replace(response, 'x', 'y')")
    (line,) = examine("ledger")[1]["ledger"]
    assert line[0] == "wrong"
    assert "is damaged; run `alpacare ledger verify`" in line[1]


def test_settings_that_do_not_fit_this_machine(clone: Path) -> None:
    path = Path("params.yaml")
    path.write_text(path.read_text().replace("rouge_l: 0.7", "rogue_l: 0.7", 1))
    status, found = examine("settings")
    assert status == 2
    assert found["settings"][0] == (
        "wrong", "params.yaml: filtered.rogue_l: unknown key; did you mean 'rouge_l'?"
    )  # fmt: skip


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_a_clone_of_somebody_elses(clone: Path) -> None:
    for path in (clone, clone / ".git"):
        os.chown(path, 12345, 12345)
    ((level, text),) = examine("git")[1]["git"]
    assert level == "wrong"
    assert "belongs to user 12345, and you are 0" in text
    assert "safe.directory" in text


def test_a_user_without_a_name(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that knows no more than a number."""
    for name in ("USER", "LOGNAME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    ((level, text),) = examine("user")[1]["user"]
    assert level == "wrong"
    assert "54321 has no name here" in text
    monkeypatch.setenv("USER", "somebody")
    assert examine("user")[1]["user"][0][0] == "warning"
    monkeypatch.setenv("HOME", str(clone))
    assert examine("user")[1]["user"] == [("ok", f"somebody (54321), {clone}")]


def test_help_is_there_at_once() -> None:
    """Torch takes seconds to import; whoever asks for help does not want to wait for it."""
    code = (
        "import sys; from alpacare.cli.lineage import doctor\n"
        "try: doctor(['--help'])\n"
        "finally: print('torch' in sys.modules, 'dvc' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--freeze" in done.stdout
    assert done.stdout.endswith("False False\n")
