"""The Git history of dvc.lock: which commit first had a hash."""

from pathlib import Path

from alpacare.sharing.git import git

_COMMIT = "commit "
_OPTIONS = (
    "--reverse", "--topo-order", "--diff-merges=first-parent", "--no-color", "--no-ext-diff",
    "--no-textconv", "--unified=3", f"--format={_COMMIT}%H",
)  # fmt: skip


def first_commits(lock: Path) -> dict[tuple[str, str], str]:
    """Give the commit in which a dvc.lock first had each (path, md5), from one read of its log.

    The path of an entry is two lines above its md5, so three lines of context show both.
    """
    commit, path, new_path = "", "", False
    first: dict[tuple[str, str], str] = {}
    for line in git("log", "--patch", *_OPTIONS, "--", str(lock)).splitlines():
        text = line[1:].strip()
        if line.startswith(_COMMIT):
            commit = line.removeprefix(_COMMIT)
        elif text.startswith("- path: ") and line[0] != "-":
            path, new_path = text.removeprefix("- path: "), line[0] == "+"
        elif text.startswith("md5: ") and (line[0] == "+" or (line[0] == " " and new_path)):
            first.setdefault((path, text.removeprefix("md5: ")), commit)
    return first


def first_commit_with(text: str, path: str) -> str | None:
    """Give the commit that added a text to a file; None if there is none."""
    found = git("log", "--reverse", "--format=%H", f"-S{text}", "--", path).split()
    return found[0] if found else None
