"""What made every output: `alpacare doctor --freeze` writes it beside them.

It tells three things apart: this machine, which may have pulled all it has; what dvc.lock says of
each output, which was so wherever it was made; and the versions and hardware that a stage wrote
beside its output. Of the last only what still has the hash in dvc.lock is believed.
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alpacare.compute.machine import describe_machine
from alpacare.core.errors import BadInput
from alpacare.core.files import read_json, write_json
from alpacare.core.settings import read_yaml
from alpacare.lineage.git_history import Held, first_commit_with, first_commits
from alpacare.sharing.git import changed_files, git

LOCK = Path("dvc.lock")
PARAMS = Path("params.yaml")
_INSIDE = ("versions.json", "speed.json")  # what a stage leaves within a folder that it writes
_TELLING = {"versions", "calls"}  # a file with one of these says how its stage's outputs came about

Part = dict[str, Any]


def freeze(path: Path) -> str:
    """Write the provenance of every output; say in a line what it covers.

    Raises:
        BadInput: no dvc.lock, or an unreadable one.
    """
    if not LOCK.exists():
        raise BadInput(f"{LOCK}: no such file; run this from the repository's top folder")
    written = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    outs = [*_stage_outs(), *_tracked_outs()]
    frozen = {
        "written": written,
        "written_on": describe_machine(),
        "git": _describe_git(),
        "params": read_yaml(PARAMS),
        "outs": outs,
    }
    write_json(path, frozen)
    told = sum(out["made_with"] is not None for out in outs)
    waiting = sum(out["first_commit"] is None for out in outs)
    line = f"{path}: {len(outs)} outputs, {told} with what their stage said of its run"
    return f"{line}; not in any commit yet: {waiting}" if waiting else line


def _describe_git() -> Part:
    commit, changed = git("rev-parse", "HEAD") or None, changed_files()
    return {"commit": commit, "dirty": bool(changed), "changed": changed}


def _stage_outs() -> Iterator[Part]:
    """Yield every output that dvc.lock knows."""
    commits = first_commits(LOCK)
    for stage, entry in (read_yaml(LOCK).get("stages") or {}).items():
        outs = entry.get("outs", [])
        made_with = _made_with(outs)
        for out in outs:
            yield _describe(out, commits) | {
                "stage": stage,
                "command": entry.get("cmd"),
                "params": entry.get("params", {}),
                "deps": {dep["path"]: dep.get("md5") for dep in entry.get("deps", [])},
                "made_with": made_with,
            }


def _describe(out: Part, commits: Mapping[Held, str]) -> Part:
    return {
        "path": out["path"],
        "md5": out.get("md5"),
        "size": out.get("size"),
        "here": Path(out["path"]).exists(),
        "first_commit": commits.get((out["path"], str(out.get("md5")))),
    }


def _tracked_outs() -> Iterator[Part]:
    """Yield what came in by `dvc add` or import: a note in Git stands for each."""
    for note in git("ls-files", "--cached", "--others", "--exclude-standard", "*.dvc").splitlines():
        told = read_yaml(Path(note))
        for out in told.get("outs", []):
            path, md5 = Path(note).parent / out["path"], str(out.get("md5"))
            yield {
                "path": str(path),
                "md5": md5,
                "size": out.get("size"),
                "here": path.exists(),
                "first_commit": first_commit_with(md5, note),
                "stage": note,
                "command": None,
                "params": {},
                "deps": {dep["path"]: dep.get("md5") for dep in told.get("deps", [])},
                "made_with": None,
            }


def _made_with(outs: list[Part]) -> Part | None:
    """Give what a stage wrote of its run, versions or models; None if nothing here tells.

    It stands in a JSON file among the stage's outputs, or within a folder that it wrote.
    """
    for out in outs:
        path = Path(out["path"])
        if path.is_dir():
            inside = _known_inside(path, str(out.get("md5")))
            told = {Path(name).stem: read_json(path / name) for name in inside}
            if told:
                return {"file": str(path / inside[0]), **told}
        elif path.suffix == ".json" and path.is_file() and _md5(path) == out.get("md5"):
            value = read_json(path)
            if isinstance(value, dict) and not _TELLING.isdisjoint(value):
                return {"file": str(path), **value}
    return None


def _known_inside(folder: Path, md5: str) -> list[str]:
    """Name those files in a folder that are as its list in DVC's cache has them."""
    name = _cache() / md5[:2] / md5[2:]
    known = {each["relpath"]: each["md5"] for each in read_json(name)} if name.exists() else {}
    return [each for each in _INSIDE if each in known and _same(folder / each, known[each])]


def _cache() -> Path:
    from dvc.repo import Repo  # type: ignore[import-untyped]

    with Repo() as repo:
        return Path(repo.cache.local.path)


def _same(path: Path, md5: str) -> bool:
    return path.exists() and _md5(path) == md5


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
