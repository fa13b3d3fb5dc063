"""Install locked packages into .venv, and say so from the first second; Python alone runs it.

    python3 tools/install.py requirements.lock [--project]

It makes .venv if there is none. uv installs where it is on PATH, unless pip has settings of its own
(an index, a proxy), which uv does not read; else pip. On Linux without an NVIDIA GPU torch's CPU
build is taken from PyTorch's own index, if that answers within seconds and no other index is set.
"""

import os
import platform
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

VENV = Path(".venv")
PYTHON = VENV / "bin/python"
LOG = VENV / "install.log"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PATIENCE = 4.0  # seconds that PyTorch's index may take
INDEXES = {"index-url", "extra-index-url", "find-links", "no-index"}
OWN = INDEXES | {"constraint", "proxy", "cert", "client-cert", "trusted-host"}
UV_INDEXES = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_FIND_LINKS", "UV_EXTRA_INDEX_URL")
# torch 2.13.0 for Linux and what it pins, as pip reports their sizes (Python 3.11, x86_64)
CPU_SIZE, CUDA_SIZE = "0.2 GB", "about 3 GB"
BLANK = "\r\033[K"


class Line:
    """One line that says what is done: moving on a terminal, every five seconds elsewhere."""

    def __init__(self) -> None:
        self.start = time.monotonic()
        self.live = sys.stdout.isatty()
        self.shown = -60.0

    @property
    def elapsed(self) -> str:
        return "{}:{:02}".format(*divmod(int(time.monotonic() - self.start), 60))

    def show(self, text: str) -> None:
        now = time.monotonic()
        if now - self.shown < (0.2 if self.live else 5.0):
            return
        self.shown = now
        line = f"setup {self.elapsed}  {text}"[:79]
        print(BLANK + line if self.live else line, end="" if self.live else "\n", flush=True)

    def say(self, text: str) -> None:
        print((BLANK if self.live else "") + text, flush=True)


class Progress:
    """What an installer's own words say of how far it is."""

    def __init__(self, packages: int) -> None:
        self.packages, self.before = packages, installed()
        self.found, self.now, self.share, self.size = 0, "looking at what is there", "", ""

    def read(self, words: str) -> None:
        words = words.strip()
        if of := re.match(r"Progress (\d+) of (\d+)", words):
            self.share = f" {int(of[1]) / 1e6:.0f} of"
        elif begun := re.match(r"Downloading (\S+?)(?:-\d\S*)? \(([\d.]+ ?\w+)\)", words):
            self.now, self.share, self.size = f"downloading {begun[1]}", "", f" {begun[2]}"
        elif begun := re.match(r"(?:Collecting|Requirement already satisfied:) ([\w.-]+)", words):
            self.found += 1
            self.now, self.share, self.size = f"looking up {begun[1]}", "", ""
        elif words.startswith(("Installing collected", "Prepared")):
            self.now, self.share, self.size = "writing the packages", "", ""

    def __str__(self) -> str:
        done = installed() - self.before
        count = f"{done} installed" if done else f"{min(self.found, self.packages)} found"
        return f"{count} of {self.packages}  {self.now}{self.share}{self.size}"


def installed() -> int:
    return sum(1 for _ in VENV.glob("lib/python*/site-packages/*.dist-info"))


def run(line: Line, command: list[str], what: object) -> str:
    """Run a command, show `what` meanwhile, and give what it printed.

    A `Progress` reads along. What it prints is in .venv/install.log; a failure ends the program.
    """
    words: queue.Queue[str] = queue.Queue()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )

    def listen() -> None:
        for each in process.stdout or ():
            words.put(each)

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    said: list[str] = []
    while listener.is_alive() or not words.empty():
        line.show(str(what))
        try:
            said.append(words.get(timeout=0.2))
        except queue.Empty:
            continue
        if isinstance(what, Progress):
            what.read(said[-1])
    text = "".join(each for each in said if not each.startswith("Progress "))
    if VENV.is_dir():
        with LOG.open("a") as log:
            log.write(f"$ {' '.join(command)}\n{text}")
    if process.wait():
        fail(line, text)
    return text


def fail(line: Line, text: str) -> None:
    lines = [each.strip() for each in text.splitlines() if each.strip()]
    errors = [each for each in lines if "error" in each.lower()[:9]] or lines[-3:]
    for each in errors[:5]:
        line.say(f"  {each}")
    hint = "; on Debian: apt install python3-venv" if "ensurepip" in text else ""
    where = f"; all of it is in {LOG}" if LOG.exists() else ""
    line.say(f"error: the set-up failed after {line.elapsed}{hint}{where}; `make setup` goes on")
    raise SystemExit(2)


def make_venv(line: Line) -> None:
    if not PYTHON.exists():
        run(line, [sys.executable, "-m", "venv", str(VENV)], "making .venv")
    LOG.unlink(missing_ok=True)


def pip_settings(line: Line) -> set[str]:
    """Give the names of pip's settings, of its files and of the environment."""
    told = run(line, [str(PYTHON), "-m", "pip", "config", "list"], "reading pip's settings")
    return set(re.findall(r"^[^=]*\.([\w-]+)='.+'$", told, re.MULTILINE))  # '' is none


def wants_cpu_build(settings: set[str]) -> bool:
    """Say whether torch's CPU build must be asked for: elsewhere it is the only one, or chosen."""
    if platform.system() != "Linux" or settings & INDEXES or any(map(os.environ.get, UV_INDEXES)):
        return False
    gpu = shutil.which("nvidia-smi")
    return not gpu or subprocess.run([gpu, "-L"], capture_output=True, check=False).returncode != 0


def cpu_index_answers(line: Line) -> bool:
    answers: list[int] = []

    def ask() -> None:
        try:
            address = urllib.request.Request(f"{CPU_INDEX}/torch/", method="HEAD")
            with urllib.request.urlopen(address, timeout=PATIENCE) as reply:
                answers.append(reply.status)
        except OSError:
            pass

    asking = threading.Thread(target=ask, daemon=True)  # a name server may take longer
    asking.start()
    until = time.monotonic() + PATIENCE
    while asking.is_alive() and time.monotonic() < until:
        line.show("asking PyTorch's index for the CPU build")
        asking.join(0.2)
    return bool(answers)


def torch_source(line: Line, settings: set[str]) -> tuple[str, bool]:
    """Say which build of torch will come, and whether PyTorch's CPU index is to be used."""
    if not wants_cpu_build(settings):
        own = settings & INDEXES or any(map(os.environ.get, UV_INDEXES))
        return ("torch as your package index has it" if own else "torch's usual build", False)
    if cpu_index_answers(line):
        return f"torch's CPU build, {CPU_SIZE}", True
    return (
        f"torch's CUDA build, {CUDA_SIZE}: PyTorch's CPU index did not answer in {PATIENCE:.0f} s",
        False,
    )


def installer(settings: set[str]) -> list[str]:
    """Give the command that installs: uv's, or pip's."""
    uv = shutil.which("uv")
    if uv and (not settings & OWN or any(map(os.environ.get, UV_INDEXES))):
        return [uv, "pip", "install", "--python", str(PYTHON)]
    (version,) = VENV.glob("lib/python*/site-packages/pip-*.dist-info")
    major, minor = version.name.split("-")[1].split(".")[:2]
    bar = "raw" if (int(major), int(minor)) >= (24, 1) else "off"  # raw: megabytes, line by line
    options = ["--progress-bar", bar, "--no-input", "--disable-pip-version-check"]
    options += ["--no-compile"]  # a third of the work; Python compiles at first use what is used
    return [str(PYTHON), "-m", "pip", "install", *options]


def main() -> None:
    locks = [each for each in sys.argv[1:] if each != "--project"]
    line = Line()
    line.show("making .venv")
    make_venv(line)
    settings = pip_settings(line)
    command = installer(settings)
    tool = "pip" if "--no-input" in command else "uv"
    pins = [text for lock in locks for text in Path(lock).read_text().splitlines() if "==" in text]
    source: list[str] = []
    told = ""
    if any(text.startswith("torch==") for text in pins):
        told, cpu = torch_source(line, settings)
        if cpu:
            source = (
                ["--torch-backend", "cpu"] if tool == "uv" else ["--extra-index-url", CPU_INDEX]
            )
    packages = "1 package" if len(pins) == 1 else f"{len(pins)} packages"
    line.say(f"installing {packages} into .venv by {tool}{told and '; '}{told}")
    every = [part for lock in locks for part in ("--requirement", lock)]
    run(line, [*command, *source, *every], Progress(len(pins)))
    if "--project" in sys.argv:
        run(line, [*command, "--no-deps", "--editable", "."], "linking this clone into .venv")
    line.say(f"installed after {line.elapsed}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("\nstopped: `make setup` goes on from here")
        sys.exit(130)
