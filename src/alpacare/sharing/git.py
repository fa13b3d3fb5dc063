"""Questions to Git, where it may have nothing to say."""

import subprocess


def git(*words: str) -> str:
    """Ask Git; "" where it has no answer, there is no repository, or no Git."""
    try:
        done = subprocess.run(
            ["git", *words], capture_output=True, text=True, check=False, errors="replace"
        )
    except FileNotFoundError:
        return ""
    return "" if done.returncode else done.stdout.rstrip("\n")


def changed_files() -> list[str]:
    """Name the files that differ from the commit that is checked out, or are not in it."""
    return [line[3:] for line in git("status", "--porcelain").splitlines()]
