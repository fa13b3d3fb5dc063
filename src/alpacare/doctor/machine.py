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

from alpacare.compute.machine import GIB, gpus, memory, normalise_name, packages
from alpacare.display.text import name_some
from alpacare.doctor.finding import Finding, ok, warning, wrong
from alpacare.llm.ledger_folder import find_ledger_folder

LOCK = Path("requirements.lock")
_OLDEST = (3, 11)
_LITTLE_MEMORY = 2 * GIB  # more than the embedded default takes
_LITTLE_DISK = 5 * GIB
_NO_DISK = GIB // 10
_NETWORK_DISKS = {"beegfs", "ceph", "cifs", "glusterfs", "gpfs", "lustre", "nfs", "smb", "sshfs"}
_GROWING_FOLDERS = (".dvc/cache", "models")


def check_python() -> Iterator[Finding]:
    """Check that Python is new enough."""
    facts = f"{platform.python_version()}, {sys.executable}"
    if sys.version_info < _OLDEST:
        yield wrong(f"{facts}: older than 3.11; run `make setup PYTHON=python3.12`")
    else:
        yield ok(facts)


def check_packages() -> Iterator[Finding]:
    """Compare the installed packages with requirements.lock."""
    if not LOCK.exists():
        yield warning(f"{LOCK}: no such file; run this from the repository's top folder")
        return
    pins = dict(line.split("==") for line in LOCK.read_text().splitlines() if "==" in line)
    locked = {normalise_name(name): version for name, version in pins.items()}
    here = packages()
    missing = sorted(required_packages() - here.keys())
    if missing:
        yield wrong(f"not installed: {name_some(missing)}; run `make setup`")
    # torch's builds for a CPU or a CUDA version differ after the "+"
    other = [
        f"{name} {here[name]} (locked: {version})"
        for name, version in locked.items()
        if name in here and here[name].partition("+")[0] != version
    ]
    if other:
        yield warning(f"other versions than in {LOCK}: {name_some(other)}; run `make setup`")
    if not (missing or other):
        yield ok(f"{len(locked.keys() & here.keys())} of {len(locked)} in {LOCK}, as locked there")


def required_packages() -> set[str]:
    """Name the packages that this project needs, without extras."""
    try:
        lines = requires("alpacare") or []
    except PackageNotFoundError:  # run from its sources
        return set()
    always = [line for line in lines if "extra ==" not in line]
    return {normalise_name(re.split(r"[^\w.-]", line)[0]) for line in always}


def check_gpus() -> Iterator[Finding]:
    """Check that torch can use the GPUs of this machine."""
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
            f"there is one, but {build} {why}: install torch's build for the driver's CUDA version"
        )
    else:
        yield ok(f"none, {build}: the embedded default needs none")


def check_memory() -> Iterator[Finding]:
    """Check the free memory, within the container's limit too."""
    total, free = memory()
    facts = f"{free / GIB:.1f} of {total / GIB:.1f} GiB free"
    if free < _LITTLE_MEMORY:
        yield warning(f"{facts}: little even for the embedded default; stop other programs")
    else:
        yield ok(facts)


def check_disks() -> Iterator[Finding]:
    """Check the free disk space of cache, models and ledger; one line for each disk."""
    disks: dict[int, list[str]] = {}
    for folder in (*_GROWING_FOLDERS, str(find_ledger_folder())):
        disks.setdefault(_existing_parent(folder).stat().st_dev, []).append(folder)
    for folders in disks.values():
        free = shutil.disk_usage(_existing_parent(folders[0])).free
        facts = f"{free / GIB:.1f} GiB free for {', '.join(folders)}"
        if free < _NO_DISK:
            yield wrong(f"{facts}: almost nothing; `dvc gc --workspace` frees some")
        elif free < _LITTLE_DISK:
            yield warning(f"{facts}: a checkpoint of 7B takes 13 GiB, its training more")
        else:
            yield ok(facts)


def network_disk(path: Path) -> str | None:
    """Give the kind of file system that a path is on if other machines may use it, too."""
    import psutil

    here = path.resolve()
    disks = [p for p in psutil.disk_partitions(all=True) if here.is_relative_to(p.mountpoint)]
    kind: str = max(disks, key=lambda disk: len(disk.mountpoint)).fstype if disks else ""
    return kind if kind.removeprefix("fuse.").rstrip("0123456789") in _NETWORK_DISKS else None


def _existing_parent(folder: str) -> Path:
    path = Path(folder).absolute()
    return next(parent for parent in [path, *path.parents] if parent.exists())


def check_user() -> Iterator[Finding]:
    """Check that the user has a name and a home: DVC needs both, and containers may lack them."""
    number = os.getuid()
    try:
        known = pwd.getpwuid(number).pw_name
    except KeyError:
        known = None
    name = os.environ.get("LOGNAME") or os.environ.get("USER") or known
    home = Path(os.environ.get("HOME") or (pwd.getpwuid(number).pw_dir if known else "/nowhere"))
    if name is None:
        yield wrong(
            f"number {number} has no name here, and DVC needs one: export USER=somebody HOME=/tmp"
        )
    elif not (home.is_dir() and os.access(home, os.W_OK)):
        yield warning(
            f"{name} ({number}): {home} cannot be written, and caches are there: export HOME"
        )
    else:
        yield ok(f"{name} ({number}), {home}")
