"""A repository of Git and DVC with the project's settings and presets, and no data yet."""

import shutil
import subprocess
import sys
from pathlib import Path

from conftest import REPOSITORY

COPIED = ("params.yaml", "dvc.yaml", ".gitignore", "presets", "students", "configs", "data/seeds",
          "data/tests")  # fmt: skip


def make_project(folder: Path) -> None:
    """Make it; every test gets a copy."""
    for name in COPIED:
        source, target = REPOSITORY / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.dvc", ".gitignore"))
        else:
            shutil.copy(source, target)
    git(folder, "init", "-q")
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], cwd=folder, check=True)
    git(folder, "add", "--all")
    git(folder, "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-q", "-m", "start")


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout
