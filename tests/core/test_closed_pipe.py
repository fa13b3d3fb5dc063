"""A command whose reader has gone, as `head` does, ends as other programs do: without a word."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

# stdout at once or at the end of the command, and by rich; stderr
WRITES = {
    "at once": "click.echo('a line')",
    "at the end": "print('a line')",
    "table": "from rich.console import Console; Console().print('a line')",
    "stderr": "click.echo('a line', err=True)",
}
COMMAND = """
import click
from alpacare.core.command import Stage

@click.command(cls=Stage)
def main():
    {}

main()
"""


@pytest.mark.parametrize("way", WRITES)
def test_a_closed_pipe_ends_a_command_quietly(workspace: Path, way: str) -> None:
    Path("command.py").write_text(COMMAND.format(WRITES[way]))
    reader, writer = os.pipe()
    os.close(reader)
    streams = {"stdout": writer, "stderr": subprocess.PIPE}
    if way == "stderr":
        streams = {"stdout": subprocess.PIPE, "stderr": writer}
    done = subprocess.run([sys.executable, "command.py"], **streams, check=False)
    os.close(writer)
    assert done.returncode == 141
    assert (done.stdout if way == "stderr" else done.stderr) == b""


def test_another_broken_pipe_is_an_error(workspace: Path) -> None:
    Path("command.py").write_text(COMMAND.format("raise BrokenPipeError(32, 'Broken pipe')"))
    done = subprocess.run(
        [sys.executable, "command.py"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "error: [Errno 32] Broken pipe\n"
