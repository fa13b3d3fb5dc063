"""Files that DVC keeps and Git does not: a note, FILE.dvc, stands in Git for each."""

import hashlib
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_file, read_text
from alpacare.sharing.git import git


def note_of(path: Path) -> Path:
    """Give the place of a file's note."""
    return path.with_name(f"{path.name}.dvc")


def check_way(path: Path) -> None:
    """See that a file may be written: only what DVC can bring back is replaced.

    Raises:
        BadInput: something is in the way that may be somebody's work.
    """
    if git("ls-files", "--", str(path)):
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
        add([path])
    except BaseException:
        path.unlink()
        raise
    if told:
        _tell(note_of(path), told)
        if git("ls-files", "--", str(note_of(path))):  # DVC has staged it (core.autostage)
            git("add", str(note_of(path)))


def add(paths: Sequence[Path]) -> None:
    """Have DVC take files in.

    Raises:
        BadInput: DVC does not take them.
    """
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "add", *paths], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BadInput(f"dvc add {paths[0]}: {done.stderr.strip() or 'failed'}")


def _tell(note: Path, told: Mapping[str, Any]) -> None:
    """Write what is known of a file into its note, where DVC leaves it alone."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 4096  # never break a line
    content = yaml.load(read_text(note))
    content["meta"] = dict(told)
    with atomic_file(note) as file:
        yaml.dump(content, file)
