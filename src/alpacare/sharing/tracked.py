"""Files tracked by DVC: Git has FILE.dvc, which holds the hash, and not FILE itself."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_file, read_text
from alpacare.sharing.git import git


def dvc_file(path: Path) -> Path:
    """Give the path of the .dvc file of a tracked file."""
    return path.with_name(f"{path.name}.dvc")


def check_replaceable(path: Path) -> None:
    """Check that a file may be written: only what DVC can restore is replaced.

    Raises:
        BadInput: the existing file may be somebody's work.
    """
    if git("ls-files", "--", str(path)):
        raise BadInput(f"{path}: is in Git; choose another name")
    if not path.exists():
        return
    record = dvc_file(path)
    with path.open("rb") as file:
        md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if not record.exists() or md5 not in read_text(record):
        raise BadInput(f"{path}: exists, and DVC has no copy of it; move it away")


def dvc_track(path: Path, meta: Mapping[str, Any] | None = None, remote: str | None = None) -> None:
    """Have DVC track a file or folder that was just written; if DVC fails, it is deleted.

    `meta` is added to the .dvc file: the source, its licence. `remote`: where it is pushed to, if
    not to the default one.

    Raises:
        BadInput: DVC failed.
    """
    from ruamel.yaml import YAML

    try:
        dvc_add([path])
    except BaseException:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        raise
    if meta or remote:
        record = dvc_file(path)
        yaml = YAML()
        yaml.width = 4096  # never break a line
        content = yaml.load(read_text(record))
        if meta:
            content["meta"] = dict(meta)  # the key that DVC leaves to its users
        if remote:
            content["outs"][0]["remote"] = remote
        with atomic_file(record) as file:
            yaml.dump(content, file)
        if git("ls-files", "--", str(record)):  # DVC has staged it (core.autostage)
            git("add", str(record))


def dvc_add(paths: Sequence[Path]) -> None:
    """Run `dvc add`.

    Raises:
        BadInput: it failed.
    """
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "add", *paths], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BadInput(f"dvc add {paths[0]}: {done.stderr.strip() or 'failed'}")
