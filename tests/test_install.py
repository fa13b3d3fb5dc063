"""tools/install.py on a terminal: it says what it does from the first second, and goes on."""

import os
import pty
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import REPOSITORY

INSTALL = [sys.executable, str(REPOSITORY / "tools/install.py")]


def wheel(folder: Path, name: str) -> None:
    """The smallest package that pip installs."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as file:
        for path, text in files.items():
            file.writestr(path, text)


@pytest.fixture
def environment(workspace: Path) -> dict[str, str]:
    """No index but a folder of wheels, and no uv."""
    wheel(workspace, "torch")
    kept = {key: text for key, text in os.environ.items() if not key.startswith(("PIP_", "UV_"))}
    return kept | {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(workspace),
        "PATH": "/usr/bin:/bin",
    }


def seen(environment: dict[str, str], *locks: str) -> tuple[int, str]:
    """The exit status, and all that a terminal was told."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*INSTALL, *locks], env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    told = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # Linux says so at the end
            piece = b""
        if not piece:
            os.close(ours)
            return process.wait(), told.decode()
        told += piece


def test_it_installs_with_a_moving_line_and_says_what_fails(
    workspace: Path, environment: dict[str, str]
) -> None:
    Path("a.lock").write_text("# a lock\ntorch==1.0\n")
    status, told = seen(environment, "a.lock")
    assert status == 0, told
    assert told.startswith("\r\x1b[Ksetup 0:00  making .venv")
    assert told.count("making .venv") > 3  # the seconds that it takes are seen to pass
    assert "installing 1 package into .venv by pip; torch as your package index has it" in told
    assert "installed after 0:" in told
    found = subprocess.run([".venv/bin/python", "-c", "import torch"], check=False)
    assert found.returncode == 0

    Path("b.lock").write_text("absent==1.0\n")  # into the .venv that is there
    status, told = seen(environment, "b.lock")
    assert status == 2
    assert "ERROR: No matching distribution found for absent==1.0" in told
    assert "error: the set-up failed after 0:0" in told
    assert "Traceback" not in told
    assert "absent==1.0" in Path(".venv/install.log").read_text()

    # uv where pip has no settings of its own, else pip
    tool = workspace / "bin/uv"
    tool.parent.mkdir()
    tool.write_text('#!/bin/sh\necho "$@" >> uv.log\n')
    tool.chmod(0o755)
    path = {"PATH": f"{tool.parent}:{environment['PATH']}"}
    Path("c.lock").write_text("# nothing\n")
    assert "by pip" in seen(environment | path, "c.lock")[1]
    plain = {key: text for key, text in environment.items() if not key.startswith("PIP_NO")}
    plain |= {"PIP_FIND_LINKS": "", "PIP_EXTRA_INDEX_URL": ""}  # as CI passes what is not set
    assert "by uv" in seen(plain | path, "c.lock")[1]
    told = Path("uv.log").read_text()
    assert told == "pip install --python .venv/bin/python --requirement c.lock\n"
