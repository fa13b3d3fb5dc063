"""Where the ledger is: one place for all Git worktrees of a clone, or the one that is named."""

import os
from pathlib import Path

from alpacare.core.errors import BadInput

VARIABLE = "ALPACARE_LEDGER"
NAME = ".ledger"


def find_ledger_folder() -> Path:
    """Give the folder that ALPACARE_LEDGER names, else `.ledger` in the clone's main working tree.

    Raises:
        BadInput: the variable names no existing folder: in a new one, nothing would be paid yet.
    """
    named = os.environ.get(VARIABLE)
    if not named:
        return _main_tree(_project()) / NAME
    folder = Path(named).expanduser()
    if not (folder.is_absolute() and folder.is_dir()):
        raise BadInput(
            f"{VARIABLE}={named}: is not the full path of an existing folder; is its disk mounted? "
            "if it is to be new, make it first"
        )
    return folder


def own_ledger_folder() -> Path:
    """Give `.ledger` in this very working tree, which earlier versions used."""
    return _project() / NAME


def _project() -> Path:
    return Path(os.environ.get("DVC_ROOT", "."))  # queued experiments run in folders of their own


def _main_tree(project: Path) -> Path:
    """Give the same folder in the main working tree, or in the repository if that is a bare one.

    A worktree's .git is a file that names its folder in the repository, where `commondir` leads to
    the rest. A submodule's has none: it is a clone like others.
    """
    here = project.resolve()
    top = next((each for each in (here, *here.parents) if (each / ".git").exists()), here)
    try:
        git = top / (top / ".git").read_text().strip().removeprefix("gitdir: ")
        common = (git / (git / "commondir").read_text().strip()).resolve()
    except OSError:  # a folder, or no repository at all
        return project
    return (common.parent if common.name == ".git" else common) / here.relative_to(top)
