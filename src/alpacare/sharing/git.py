"""Queries to Git that may have no answer."""

import subprocess


def git(*words: str) -> str:
    """Run a Git command and give its output; "" if it fails, or there is no repository or Git."""
    try:
        done = subprocess.run(
            ["git", *words], capture_output=True, text=True, check=False, errors="replace"
        )
    except FileNotFoundError:
        return ""
    return "" if done.returncode else done.stdout.rstrip("\n")


def changed_files() -> list[str]:
    """List the files that differ from the checked-out commit, or are not in it."""
    return [line[3:] for line in git("status", "--porcelain").splitlines()]
