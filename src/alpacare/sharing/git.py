"""Queries to Git that may have no answer."""

import subprocess
from contextlib import suppress
from pathlib import Path


def git(*words: str) -> str:
    """Run a Git command and give its output; "" if it fails, or there is no repository or Git."""
    try:
        done = subprocess.run(
            ["git", *words], capture_output=True, text=True, check=False, errors="replace"
        )
    except FileNotFoundError:
        return ""
    return "" if done.returncode else done.stdout.rstrip("\n")


def read_version(path: Path, commit: str = "") -> str:
    """Give a file's text in a commit, or as staged; "" if it is not there, or no UTF-8 text."""
    done = subprocess.run(["git", "show", f"{commit}:./{path}"], capture_output=True, check=False)
    with suppress(UnicodeDecodeError):
        return "" if done.returncode else done.stdout.decode()
    return ""


def changed_files() -> list[str]:
    """List the files that differ from the checked-out commit, or are not in it."""
    return [line[3:] for line in git("status", "--porcelain").splitlines()]
