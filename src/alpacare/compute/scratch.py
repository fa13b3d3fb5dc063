"""Where a run that was stopped goes on: a folder named by everything that shapes its result."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def fingerprint(parts: Mapping[str, Any]) -> str:
    """Name a run: 16 hex digits of SHA-256 over all that shapes its result."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def hash_files(*paths: Path) -> str:
    """SHA-256 over files' names and bytes, and those in folders."""
    digest = hashlib.sha256()
    for path in paths:
        for file in [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file()):
            name = file.name if path.is_file() else file.relative_to(path).as_posix()
            digest.update(f"{name}:{file.stat().st_size}:".encode())
            with file.open("rb") as opened:
                while block := opened.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()


def hash_model(name: str, revision: str | None) -> str | None:
    """Name a model's weights: a Hub model's by its revision, a local folder's by its bytes."""
    folder = Path(name)
    return hash_files(folder) if folder.is_dir() else revision


def size(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def others(scratch: Path) -> list[Path]:
    """Give the folders of runs with other settings, which wait to be gone on with or deleted."""
    return sorted(folder for folder in scratch.parent.glob("*") if folder != scratch)
