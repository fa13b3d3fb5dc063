"""Files that DVC keeps and Git does not: a note, FILE.dvc, stands in Git for each."""

import hashlib
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alpacare.errors import BadInput
from alpacare.files import atomic_file, read_text


def note_of(path: Path) -> Path:
    """Give the place of a file's note."""
    return path.with_name(f"{path.name}.dvc")


def check_way(path: Path) -> None:
    """See that a file may be written: only what DVC can bring back is replaced.

    Raises:
        BadInput: something is in the way that may be somebody's work.
    """
    in_git = subprocess.run(
        ["git", "ls-files", "--error-unmatch", path], capture_output=True, check=False
    )
    if in_git.returncode == 0:
        raise BadInput(f"{path}: is in Git; choose another name")
    if not path.exists():
        return
    note = note_of(path)
    with path.open("rb") as file:
        md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if not note.exists() or md5 not in read_text(note):
        raise BadInput(f"{path}: is there, and DVC holds no copy of it; move it away")


def keep(path: Path, told: Mapping[str, Any] | None = None) -> None:
    """Have DVC take a file in that was just written; without DVC there is no file either.

    `told` goes into the note: where it is from, its licence.

    Raises:
        BadInput: DVC does not take it.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "dvc", "add", path],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BadInput(f"dvc add {path}: {done.stderr.strip() or 'failed'}")
    except BaseException:
        path.unlink()
        raise
    if told:
        _tell(note_of(path), told)
        _stage_again(note_of(path))


def _stage_again(note: Path) -> None:
    """Have Git commit what the note says now, if DVC has staged it (core.autostage)."""
    staged = subprocess.run(
        ["git", "ls-files", "--error-unmatch", note], capture_output=True, check=False
    )
    if staged.returncode == 0:
        subprocess.run(["git", "add", note], capture_output=True, check=False)


def _tell(note: Path, told: Mapping[str, Any]) -> None:
    """Write what is known of a file into its note, where DVC leaves it alone."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 4096  # never break a line
    content = yaml.load(read_text(note))
    content["meta"] = dict(told)
    with atomic_file(note) as file:
        yaml.dump(content, file)
