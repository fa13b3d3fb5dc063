"""Checks of `alpacare doctor` on the machine: Python, packages, GPU, memory, disk, user."""

import os
import platform
import pwd
import re
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from alpacare.compute.machine import GIB, gpus, memory, packages, spell
from alpacare.display.text import name_some
from alpacare.doctor.finding import Finding, ok, warning, wrong

LOCK = Path("requirements.lock")
_OLDEST = (3, 11)
_LITTLE_MEMORY = 2 * GIB  # the embedded default takes less
_LITTLE_DISK = 5 * GIB
_NO_DISK = GIB // 10
_SPACES = (".dvc/cache", "models", ".ledger")


def check_python() -> Iterator[Finding]:
    """Python is new enough."""
    told = f"{platform.python_version()}, {sys.executable}"
    if sys.version_info < _OLDEST:
        yield wrong(f"{told}: older than 3.11; run `make setup PYTHON=python3.12`")
    else:
        yield ok(told)


def check_packages() -> Iterator[Finding]:
    """What is installed is what requirements.lock says."""
    if not LOCK.exists():
        yield warning(f"{LOCK}: no such file; run this from the repository's top folder")
        return
    pins = dict(line.split("==") for line in LOCK.read_text().splitlines() if "==" in line)
    locked = {spell(name): version for name, version in pins.items()}
    here = packages()
    lacking = sorted(needed() - here.keys())
    if lacking:
        yield wrong(f"not installed: {name_some(lacking)}; run `make setup`")
    # torch's builds for a CPU or a CUDA version differ in what stands behind the "+"
    other = [
        f"{name} {here[name]} (locked: {version})"
        for name, version in locked.items()
        if name in here and here[name].partition("+")[0] != version
    ]
    if other:
        yield warning(f"other versions than in {LOCK}: {name_some(other)}; run `make setup`")
    if not (lacking or other):
        yield ok(f"{len(locked.keys() & here.keys())} of {len(locked)} in {LOCK}, as locked there")


def needed() -> set[str]:
    """Name the packages that this project cannot do without, extras aside."""
    try:
        lines = requires("alpacare") or []
    except PackageNotFoundError:  # run from its sources
        return set()
    always = [line for line in lines if "extra ==" not in line]
    return {spell(re.split(r"[^\w.-]", line)[0]) for line in always}


def check_gpus() -> Iterator[Finding]:
    """Torch sees the GPUs that are there."""
    import torch

    build = f"torch {torch.__version__}"
    for gpu in gpus():
        yield ok(
            f"{gpu['name']}, {gpu['memory_gib']} GiB, driver {gpu['driver'] or 'unknown'}, CUDA "
            f"{gpu['cuda']}, {build}"
        )
    if torch.cuda.is_available():
        return
    if Path("/dev/nvidia0").exists():
        why = "is built for CPUs" if torch.version.cuda is None else "cannot use it"
        yield warning(
            f"there is one, and {build} {why}: install torch's build for the driver's CUDA version"
        )
    else:
        yield ok(f"none, {build}: the embedded default needs none")


def check_memory() -> Iterator[Finding]:
    """There is memory left, also by the container's limit."""
    total, free = memory()
    told = f"{free / GIB:.1f} of {total / GIB:.1f} GiB free"
    if free < _LITTLE_MEMORY:
        yield warning(f"{told}: little even for the embedded default; end what else runs")
    else:
        yield ok(told)


def check_disks() -> Iterator[Finding]:
    """There is room where cache, models and ledger grow; one line a disk."""
    folders: dict[int, list[str]] = {}
    for space in _SPACES:
        folders.setdefault(_existing(space).stat().st_dev, []).append(space)
    for spaces in folders.values():
        free = shutil.disk_usage(_existing(spaces[0])).free
        told = f"{free / GIB:.1f} GiB free for {', '.join(spaces)}"
        if free < _NO_DISK:
            yield wrong(f"{told}: next to nothing; `dvc gc --workspace` frees some")
        elif free < _LITTLE_DISK:
            yield warning(f"{told}: a checkpoint of 7B takes 13 GiB, a run of it more")
        else:
            yield ok(told)


def _existing(folder: str) -> Path:
    path = Path(folder).absolute()
    return next(parent for parent in [path, *path.parents] if parent.exists())


def check_user() -> Iterator[Finding]:
    """The user has a name and a home: DVC asks for both, and a container may know neither."""
    number = os.getuid()
    try:
        known = pwd.getpwuid(number).pw_name
    except KeyError:
        known = None
    name = os.environ.get("LOGNAME") or os.environ.get("USER") or known
    home = Path(os.environ.get("HOME") or (pwd.getpwuid(number).pw_dir if known else "/nowhere"))
    if name is None:
        yield wrong(
            f"number {number} has no name here, and DVC wants one: export USER=somebody HOME=/tmp"
        )
    elif not (home.is_dir() and os.access(home, os.W_OK)):
        yield warning(
            f"{name} ({number}): {home} cannot be written, and caches go there: export HOME"
        )
    else:
        yield ok(f"{name} ({number}), {home}")
