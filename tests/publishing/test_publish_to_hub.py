"""`alpacare publish --to hub`, in a process of its own, against a server that stores uploads."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import run
from hub_uploads import TOKEN, Hub, hub
from small_project import commit, edit_yaml, environment

from alpacare.cli.publish import publish

pytest_plugins = ["project_fixtures"]

COMMAND = "from alpacare.cli.publish import publish; publish()"
DATA, MODEL = "our-lab/tasks", "our-lab/student"
BOTH = ("--to", "hub", "--dataset", DATA, "--model", MODEL, "--licence", "CC-BY-NC-4.0")


@pytest.fixture
def server() -> Iterator[Hub]:
    with hub() as running:
        yield running


def start(project: Path, url: str, *arguments: str, **variables: str) -> "subprocess.Popen[str]":
    more = {"HF_ENDPOINT": url, "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1", **variables}
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments],
        cwd=project,
        env={**environment(project), **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def call(project: Path, url: str, *arguments: str, **variables: str) -> tuple[int, str, str]:
    """Exit status, what was printed, and its last error line; nowhere is the token."""
    process = start(project, url, *arguments, **variables)
    out, err = process.communicate(timeout=120)
    assert TOKEN not in out + err
    lines = err.strip().splitlines()
    return process.returncode, out, lines[-1] if lines else ""


def test_without_yes_nothing_is_sent_and_no_token_is_needed(project: Path) -> None:
    done = run(publish, *BOTH)
    assert done.exit_code == 0, done.output
    assert f"dataset -> {DATA}: 8 files, " in done.output
    assert "CC-BY-NC-4.0, private" in done.output
    assert "--yes does it" in done.output


def test_the_hub_has_the_bytes_of_the_folder(project: Path, server: Hub) -> None:
    status, out, error = call(project, server.url, *BOTH, "--yes")
    assert status == 0, error
    assert f"uploaded: 127.0.0.1:{server.server_port}/datasets/{DATA} at 0000" in out
    assert run(publish, *folder_options(), "--yes").exit_code == 0
    for kind, name in (("dataset", DATA), ("model", MODEL)):
        repository = server.repositories[f"{kind}s/{name}"]
        assert repository.visibility == "private"
        folder = project / "published" / kind
        files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
        assert repository.files.keys() == files.keys()
        for path in files.keys() - {"README.md", "croissant.json"}:  # these name the dataset
            assert repository.files[path] == files[path].read_bytes(), path
        assert "license: cc-by-nc-4.0" in repository.files["README.md"].decode()
    assert server.repositories[f"models/{MODEL}"].large >= {"model.safetensors"}
    assert f"- {DATA}\n" in server.repositories[f"models/{MODEL}"].files["README.md"].decode()


def folder_options() -> tuple[str, ...]:
    return ("--to", "folder", "--out", "published", "--licence", "CC-BY-NC-4.0")


def test_present_files_are_not_sent_again_and_others_stay(project: Path, server: Hub) -> None:
    call(project, server.url, *BOTH, "--yes")
    sent = server.puts
    server.repositories[f"models/{MODEL}"].files["logo.txt"] = b"*"
    status, out, error = call(project, server.url, *BOTH, "--yes")
    assert status == 0, error
    assert server.puts == sent
    assert server.repositories[f"models/{MODEL}"].commits == 1
    assert server.repositories[f"models/{MODEL}"].files["logo.txt"] == b"*"
    assert "note: not of this upload, and still there: logo.txt" in out


def test_public_only_when_asked(project: Path, server: Hub) -> None:
    only = ("--to", "hub", "--dataset", DATA, "--licence", "CC-BY-4.0", "--yes")
    assert call(project, server.url, *only, "--public")[0] == 0
    assert server.repositories.keys() == {f"datasets/{DATA}"}
    assert server.repositories[f"datasets/{DATA}"].visibility == "public"
    status, _, error = call(project, server.url, *only)
    assert status == 2
    assert error == f"error: {DATA}: exists and is not private; add --public, or name another"


def test_nothing_is_sent_to_a_hub_that_hosts_does_not_name(project: Path, server: Hub) -> None:
    edit_yaml(project / "params.yaml", lambda params: params.update(hosts=["huggingface.co"]))
    commit(project)
    status, _, error = call(project, server.url, *BOTH, "--yes")
    assert status == 2
    assert "params.yaml: hosts: '127.0.0.1' (the Hub) is not among them" in error
    assert not server.repositories


@pytest.mark.parametrize(
    ("part", "code", "message"),
    [
        ("repos/create", 403, "our-lab/tasks: the Hub answers 403: this token may not write"),
        ("/commit/", 409, "our-lab/tasks: the Hub answers 409: somebody changed it at the same"),
        ("/commit/", 413, "our-lab/tasks: the Hub answers 413: the same command goes on"),
    ],
)
def test_a_refusal_is_one_line(
    project: Path, server: Hub, part: str, code: int, message: str
) -> None:
    server.refuse = {part: code}
    status, _, error = call(project, server.url, *BOTH, "--yes")
    assert status == 2
    assert error.startswith(f"error: {message}")


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("", "error: no token for the Hub: set HF_TOKEN, or run `hf auth login`"),
        ("hf_secret with blanks", "error: HF_TOKEN: holds a character that no token has"),
    ],
)
def test_a_token_that_is_none_is_not_shown(
    project: Path, monkeypatch: pytest.MonkeyPatch, token: str, message: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    done = run(publish, *BOTH, "--yes")
    assert done.exit_code == 2
    assert message in done.stderr
    assert "secret" not in done.output


def test_a_token_of_somebody_else(project: Path, server: Hub) -> None:
    status, _, error = call(project, server.url, *BOTH, "--yes", HF_TOKEN="hf_somebodyelses")
    assert status == 2
    assert error.startswith("error: our-lab/tasks: the Hub answers 401: it does not know this")
    assert "somebodyelses" not in error
    assert server.repositories == {}


def test_uncommitted_changes_are_refused(project: Path) -> None:
    (project / "notes.txt").write_text("new")
    done = run(publish, *BOTH, "--yes")
    assert done.exit_code == 2
    assert done.output == (
        "error: notes.txt: not committed; commit first, as the card names the commit that made it\n"
    )


def test_an_upload_that_breaks_off_is_resumed(project: Path, server: Hub) -> None:
    server.puts_left = 1
    status, _, error = call(project, server.url, *BOTH, "--yes")
    assert status == 2
    assert "our-lab/tasks: the Hub answers 400: the same command goes on" in error
    assert server.repositories[f"datasets/{DATA}"].files == {}, "all of it or nothing"
    assert len(server.objects) == 1
    had, server.puts_left, server.puts = set(server.objects), None, 0
    status, _, error = call(project, server.url, *BOTH, "--yes")
    assert status == 0, error
    assert server.puts == len(server.objects.keys() - had)
    assert "model.safetensors" in server.repositories[f"models/{MODEL}"].files


def test_ctrl_c_says_how_to_continue(project: Path, server: Hub) -> None:
    server.hold = threading.Event()
    process = start(project, server.url, *BOTH, "--yes")
    assert server.held.wait(60)
    process.send_signal(signal.SIGINT)
    threading.Timer(1, server.hold.set).start()  # its other threads wait for their answers
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "our-lab/tasks: stopped; the same command goes on with what is missing" in err
    assert server.repositories[f"datasets/{DATA}"].files == {}


def test_no_network(project: Path) -> None:
    status, _, error = call(project, "http://127.0.0.1:9", *BOTH, "--yes")
    assert status == 2
    assert error == (
        "error: our-lab/tasks: the upload broke off (ConnectionRefusedError); the same command "
        "goes on with what is missing"
    )
