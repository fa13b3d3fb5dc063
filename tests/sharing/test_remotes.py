"""`alpacare remote`: what it writes into .dvc/config, and what it refuses."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY
from two_stages import built_once, dvc, ok, project, refused

from alpacare.cli.remotes import pull, push, remote

__all__ = ["built_once", "project"]  # fixtures
CONFIG = Path(".dvc/config")


def settings(name: str) -> dict[str, str]:
    """Read one remote's section as DVC wrote it."""
    section = CONFIG.read_text().split(f"['remote \"{name}\"']\n")[1].split("[")[0]
    return dict(re.findall(r"^\s*(\w+) = (.*)$", section, re.MULTILINE))


def test_a_remote_is_written_for_data_and_for_weights(project: Path) -> None:
    text = ok(remote, "s3://lab/team", "--endpoint-url", "https://s3.example.org:9000")
    assert "s3://lab/team" in text
    assert "publishing" in text
    assert settings("storage") == {
        "url": "s3://lab/team",
        "verify": "True",
        "connect_timeout": "10",
        "read_timeout": "30",
        "endpointurl": "https://s3.example.org:9000",
    }
    assert settings("weights") == {"url": "remote://storage/weights"}
    assert "remote = storage" in CONFIG.read_text()
    assert dvc(project, "remote", "list").count("\n") == 2


def test_weights_may_have_a_place_of_their_own(project: Path) -> None:
    ok(remote, "ssh://me@host:2222/data/team", "--weights", "gs://weights/team")
    assert settings("storage")["url"] == "ssh://me@host:2222/data/team"
    assert settings("storage")["timeout"] == "30"
    assert settings("weights") == {"url": "gs://weights/team", "verify": "True"}


def test_what_was_set_by_hand_stays_while_the_kind_does(project: Path) -> None:
    ok(remote, "s3://lab/team", "--endpoint-url", "http://127.0.0.1:1")
    dvc(project, "remote", "modify", "storage", "region", "eu-west-1")
    ok(remote, "s3://other/team")
    assert settings("storage")["region"] == "eu-west-1"
    assert "endpointurl" not in settings("storage")
    ok(remote, "ssh://host/team")
    assert "region" not in settings("storage")


def test_a_folder_is_made_and_written_as_dvc_wants_it(project: Path) -> None:
    ok(remote, "../store")
    assert settings("storage")["url"] == "../../store", "DVC reads it from .dvc/"
    assert (project.parent / "store").is_dir()
    ok(remote, project.parent / "absolute")
    assert settings("storage")["url"] == str(project.parent / "absolute")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["https://host/team"], "nothing can be pushed by https"),
        (["azure://container/team"], "'azure' is not known here"),
        (["ssh://me:hunter2@host/team"], "dvc remote modify --local"),
        (["s3://AKIAHUNTER2:hunter2@lab/team"], "dvc remote modify --local"),
        (["s3://lab/team?secret_key=hunter2"], "dvc remote modify --local"),
        (["s3://lab", "--weights", "ssh://me:hunter2@host/w"], "dvc remote modify --local"),
        (["s3://lab", "--endpoint-url", "https://me:hunter2@host"], "dvc remote modify --local"),
        (["https://hunter2@host/team"], "dvc remote modify --local"),
        (["me:hunter2@host:team"], "dvc remote modify --local"),
        (["ssh://[me:hunter2@host/team"], "the address is not valid"),
        (["s3://lab", "--endpoint-url", "me:hunter2@host"], "dvc remote modify --local"),
        (["me@host:team"], "another machine is ssh://user@host/folder"),
        (["s3:///team"], "names no bucket"),
        (["ssh://host"], "names no folder"),
        (["ssh://[host/team"], "the address is not valid"),
        ([""], "no address is given"),
        (["s3://lab", "--endpoint-url", "host:9000"], "write https://HOST"),
        (["../store", "--endpoint-url", "https://host"], "is for s3:// and gs://"),
        (["store"], "is in the repository"),
        (["."], "is in the repository"),
        ([str(REPOSITORY / "README.md")], "is a file"),
    ],
)
def test_a_wrong_address_is_refused(project: Path, words: list[str], message: str) -> None:
    before = CONFIG.read_bytes()
    text = refused(remote, *words)
    assert message in text
    assert "hunter2" not in text.lower()
    assert CONFIG.read_bytes() == before


HOSTS = "hosts: [near.org]\n"


@pytest.mark.parametrize(
    ("words", "host"),
    [
        (["ssh://me@far.org/team"], "far.org"),
        (["gs://lab/team"], "storage.googleapis.com"),
        (["../store", "--weights", "s3://lab"], "s3.amazonaws.com"),
        (["s3://lab", "--endpoint-url", "https://minio.far.org:9000"], "minio.far.org"),
    ],
)
def test_a_remote_must_be_at_one_of_the_hosts(project: Path, words: list[str], host: str) -> None:
    ok(remote, *words)
    Path("params.yaml").write_text(HOSTS)
    before = CONFIG.read_bytes()
    assert f"hosts: '{host}' (the remote" in refused(remote, *words)
    assert CONFIG.read_bytes() == before
    assert f"hosts: '{host}' (DVC's remote" in refused(push), "also one that was there before"
    assert not Path("data/packs").exists()
    ok(remote, "ssh://me@near.org/team")


def test_a_password_that_was_set_by_hand_is_not_shown(project: Path) -> None:
    ok(remote, "ssh://me@127.0.0.1:1/team")
    CONFIG.write_text(CONFIG.read_text().replace("me@", "me:hunter2@"))
    assert "ssh://me:...@127.0.0.1:1/team" in (text := refused(push))
    assert "hunter2" not in text


def test_a_broken_config_and_no_repository_are_named(project: Path, tmp_path: Path) -> None:
    CONFIG.write_text("[core\n")
    assert ".dvc/config" in refused(remote, "s3://lab/team")
    CONFIG.write_text("")
    ok(remote, "ssh://host/team")
    dvc(project, "remote", "modify", "--local", "storage", "keyfile", "k")
    before = CONFIG.read_bytes()
    assert "config.local" in refused(remote, "s3://lab/team"), (
        "what was set there is of another kind"
    )
    assert CONFIG.read_bytes() == before
    os.chdir(tmp_path)
    assert ".dvc/config: no such file" in refused(remote, "s3://lab/team")
    for command_ in (push, pull):
        assert "DVC" in refused(command_)


@pytest.mark.parametrize(
    ("url", "plugin"),
    [("s3://lab/team", "dvc-s3"), ("gs://lab/team", "dvc-gs"), ("ssh://host/team", "dvc-ssh")],
)
def test_a_plugin_that_is_not_installed_is_named(project: Path, url: str, plugin: str) -> None:
    """In a process that cannot import it."""
    script = (
        f"import sys; sys.modules['{plugin.replace('-', '_')}'] = None\n"
        f"from alpacare.cli.remotes import remote; remote(['{url}'])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 2
    assert (
        done.stderr == f"error: {url}: needs {plugin}, which is not installed; run `make remotes`\n"
    )
