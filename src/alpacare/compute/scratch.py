"""Scratch folders: a run that was stopped goes on in one, named by all that shapes its result."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Hashable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from alpacare.core.file_lock import is_held
from alpacare.core.file_stamps import ignored_names, walk
from alpacare.core.input_state import IGNORED, current_inputs, settings_text

_LOADING = ("determinism.py", "pretrained.py", "weights.py")  # of this folder


def fingerprint(parts: Mapping[str, Any]) -> str:
    """Name a run: 16 hex digits of SHA-256 over all that shapes its result."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def delete_other_runs(folder: Path) -> None:
    """Delete the folders of runs with other fingerprints that lie beside a run's folder."""
    for other in other_runs(folder):
        if re.fullmatch("[0-9a-f]{16}", other.name):
            shutil.rmtree(other, ignore_errors=True)


def other_runs(folder: Path) -> list[Path]:
    """List the other entries of the folder that a run's folder is in, but for runs under way."""
    others = (other for other in folder.parent.glob("*") if other != folder)
    return sorted(other for other in others if not any(map(is_held, other.glob("*.lock"))))


def hash_files(*paths: Path) -> str:
    """SHA-256 over files' names and bytes, and those in folders but what .dvcignore names."""
    digest, ignored = hashlib.sha256(), ignored_names(settings_text(IGNORED))
    for path in paths:
        for file in sorted(Path(name) for name, _ in walk(str(path), ignored)):
            name = file.name if file == path else file.relative_to(path).as_posix()
            digest.update(f"{name}:{file.stat().st_size}:".encode())
            with file.open("rb") as opened:
                hashlib.file_digest(opened, lambda: digest)
    return digest.hexdigest()


def hash_code(*modules: str) -> str:
    """SHA-256 over the code that loads models, and all beside these modules' files (`__file__`)."""
    loading = (Path(__file__).with_name(name) for name in _LOADING)
    files = (file for each in modules for file in sorted(Path(each).parent.glob("*.py")))
    return hash_files(*loading, *files)


def hash_model(name: str, revision: str | None) -> str | None:
    """Name a model's weights: a Hub model's by its revision, a local folder's by its bytes.

    A stage is held to such a folder, as to its other inputs, until it ends.
    """
    folder = Path(name)
    if not folder.is_dir():
        return revision
    if state := current_inputs():
        state.add_model(folder)
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    stamps = tuple((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files)
    return _hash_folder(folder, stamps)


@lru_cache(maxsize=4)
def _hash_folder(folder: Path, stamps: Hashable) -> str:
    """Hash a folder once as long as it does not change: weights may take a minute."""
    return hash_files(folder)


def folder_size(folder: Path) -> int:
    """Bytes of all files in a folder; those that are deleted meanwhile do not count."""
    size = 0
    for top, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                size += Path(top, name).stat().st_size
    return size
