"""`alpacare accept STAGE`: an edit of code that changes no result, without running the stage.

Plain `dvc commit -f` would also accept a changed setting in silence. What was accepted, by whom and
when is in data/accepted.jsonl, which belongs into Git.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

from alpacare.core.errors import BadInput
from alpacare.pipeline.changes import code_changes, open_repo
from alpacare.sharing.git import git

ACCEPTED = Path("data/accepted.jsonl")


def accept_code(stage: str) -> list[str]:
    """Write today's hashes of a stage's code into dvc.lock; give the paths that were accepted.

    Raises:
        BadInput: something else than code changed, or nothing did.
    """
    with open_repo() as repo:
        changed = code_changes(repo, stage)
        if not changed:
            raise BadInput(f"{stage}: nothing has changed since it ran; there is nothing to accept")
        entry = {
            "stage": stage,
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "who": git("config", "user.name"),
            "commit": git("rev-parse", "HEAD"),
            "code": changed,
        }
        with ACCEPTED.open("a", encoding="utf-8") as file:  # before: a trace without effect is fine
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        for cell in changed:
            repo.commit(cell, force=True)
    return sorted({path for paths in changed.values() for path in paths})
