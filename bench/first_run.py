"""What a newcomer sees, and when: set-up and demo in a fresh clone, read through a terminal.

    python bench/first_run.py

The target: no more than five seconds without a change on the screen. Beside each gap stands the
line that was the last one seen. Exit status 1 if a gap is longer.
"""

import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import click
import results

REPOSITORY = Path(__file__).parents[1]
MOST = 5.0  # seconds without a change
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")  # of a terminal: colours, the cursor
SHOWN = 5  # gaps


@dataclass
class Seen:
    """One command: how long it took, when it first said something, and (seconds, at, line)."""

    command: str
    first: float = 0.0
    seconds: float = 0.0
    gaps: list[tuple[float, float, str]] = field(default_factory=list)

    @property
    def longest(self) -> float:
        return max(seconds for seconds, _, _ in self.gaps)


def watch(command: list[str], folder: Path, environment: dict[str, str]) -> Seen:
    """Run a command in a terminal of 80 columns, and note each pause of what it prints."""
    ours, theirs = pty.openpty()
    start = last = time.monotonic()
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    seen, line, ended = Seen(" ".join(command)), "nothing", False
    said: list[str] = []
    while not ended:
        piece = read(ours, process)
        now = time.monotonic()
        ended = piece == b""
        if piece is None:
            continue
        seen.first = seen.first or now - start
        seen.gaps.append((now - last, last - start, line))
        last = now
        words = CONTROL.sub("", piece.decode(errors="replace"))
        parts = [part for part in re.split("[\r\n]+", words) if part.strip()]
        said = [*said, *parts][-20:]
        line = parts[-1] if parts else line
    os.close(ours)
    seen.seconds = time.monotonic() - start
    if process.wait():
        raise SystemExit("\n".join([*said, f"{seen.command}: exit status {process.returncode}"]))
    return seen


def read(terminal: int, process: subprocess.Popen[bytes]) -> bytes | None:
    """What the terminal got; b"" at the end, None for nothing yet."""
    if not select.select([terminal], [], [], 0.5)[0]:
        return b"" if process.poll() is not None else None
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says so at the end
        return b""


def describe(seen: Seen) -> str:
    lines = [
        f"\n{seen.command}: {seen.seconds:.0f} s; the first words after {seen.first:.1f} s; "
        "longest without a change:"
    ]
    for seconds, at, line in sorted(seen.gaps, reverse=True)[:SHOWN]:
        lines.append(f"  {seconds:5.1f} s from {at:5.1f} s on, after: {line.strip()[:50]}")
    return "\n".join(lines)


def newcomer(folder: Path) -> dict[str, str]:
    """An environment without this project's own .venv, code and DVC folder."""
    own = str(Path(sys.executable).parent)
    path = os.pathsep.join(each for each in os.environ["PATH"].split(os.pathsep) if each != own)
    kept = {name: text for name, text in os.environ.items() if name not in ("PYTHONPATH", "CI")}
    site = {"DVC_SITE_CACHE_DIR": str(folder / "site-cache")}
    return {**kept, **site, "PATH": path, "TERM": "xterm", "COLUMNS": "80", "LINES": "40"}


@click.command()
@results.save_option
def main(save: bool) -> None:
    """Time `make setup` and `make demo` in a fresh clone of the last commit."""
    figures = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(["git", "clone", "-q", REPOSITORY, folder / "clone"], check=True)
        for target in ("setup", "demo"):
            seen = watch(["make", target], folder / "clone", newcomer(folder))
            click.echo(describe(seen))
            figures |= {
                f"{target}, s": round(seen.seconds, 1),
                f"{target}, first words, s": round(seen.first, 1),
                f"{target}, longest gap, s": round(seen.longest, 1),
            }
    results.report("first_run", figures, save)
    sys.exit(any(value > MOST for name, value in figures.items() if "gap" in name))


if __name__ == "__main__":
    main()
