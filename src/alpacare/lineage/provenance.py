"""The provenance of every output, written by `alpacare doctor --freeze`.

It keeps three things apart: this machine, which may have pulled all its outputs; what dvc.lock says
of each output, which holds wherever it was made; and the versions and hardware that a stage wrote
beside its output. The last is used only if its file still has the hash in dvc.lock.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from alpacare.compute.machine import describe_machine
from alpacare.core.errors import BadInput
from alpacare.core.files import read_json, write_json
from alpacare.core.settings import read_yaml
from alpacare.lineage.git_history import first_commit_with, first_commits
from alpacare.lineage.rows import JsonObject
from alpacare.sharing.git import changed_files, git

LOCK = Path("dvc.lock")
_RUN_FILES = ("versions.json", "speed.json")  # files on its run in a folder that a stage writes
_RUN_KEYS = {"versions", "calls"}  # a JSON output with one of these keys describes its stage's run


def write_provenance(path: Path) -> str:
    """Write the provenance of every output; give one line on what it covers.

    Raises:
        BadInput: no dvc.lock, or it cannot be read.
    """
    if not LOCK.exists():
        raise BadInput(f"{LOCK}: no such file; run this from the repository's top folder")
    changed, outs = changed_files(), [*_stage_outs(), *_tracked_outs()]
    frozen = {
        "written": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "written_on": describe_machine(),
        "git": {
            "commit": git("rev-parse", "HEAD") or None,
            "dirty": bool(changed),
            "changed": changed,
        },
        "params": read_yaml(Path("params.yaml")),
        "students": {
            path.stem: read_yaml(path) for path in sorted(Path("students").glob("*.yaml"))
        },
        "outs": outs,
    }
    write_json(path, frozen)
    described = sum(out["made_with"] is not None for out in outs)
    uncommitted = sum(out["first_commit"] is None for out in outs)
    line = f"{path}: {len(outs)} outputs, {described} with what their stage wrote about its run"
    return f"{line}; not in any commit yet: {uncommitted}" if uncommitted else line


def _stage_outs() -> Iterator[JsonObject]:
    """Yield every output in dvc.lock."""
    commits, cache = first_commits(LOCK), _cache_folder()
    for stage, entry in (read_yaml(LOCK).get("stages") or {}).items():
        made_with = _made_with(entry.get("outs", []), cache)
        for out in entry.get("outs", []):
            commit = commits.get((out["path"], str(out.get("md5"))))
            yield _describe(out, Path(out["path"]), commit, stage, entry) | {"made_with": made_with}


def _tracked_outs() -> Iterator[JsonObject]:
    """Yield the files of `dvc add` or `dvc import`: Git has a .dvc file for each."""
    for note in git("ls-files", "--cached", "--others", "--exclude-standard", "*.dvc").splitlines():
        tracked = read_yaml(Path(note))
        for out in tracked.get("outs", []):
            commit = first_commit_with(str(out.get("md5")), note)
            path = Path(note).parent / out["path"]
            yield _describe(out, path, commit, note, tracked) | {"made_with": None}


def _describe(
    out: JsonObject, path: Path, commit: str | None, stage: str, entry: JsonObject
) -> JsonObject:
    return {
        "path": str(path),
        "md5": out.get("md5"),
        "size": out.get("size"),
        "here": path.exists(),
        "first_commit": commit,
        "stage": stage,
        "command": entry.get("cmd"),
        "params": entry.get("params", {}),
        "deps": {dep["path"]: dep.get("md5") for dep in entry.get("deps", [])},
    }


def _made_with(outs: list[JsonObject], cache: Path) -> JsonObject | None:
    """Give what a stage wrote about its run, versions or models; None if there is nothing here.

    It is in a JSON file among the stage's outputs, or in a folder that it wrote.
    """
    for out in outs:
        path = Path(out["path"])
        if path.is_dir():
            names = _unchanged_run_files(path, str(out.get("md5")), cache)
            if names:
                run = {Path(name).stem: read_json(path / name) for name in names}
                return {"file": str(path / names[0]), **run}
        elif path.suffix == ".json" and _has_md5(path, out.get("md5")):
            value = read_json(path)
            if isinstance(value, dict) and not _RUN_KEYS.isdisjoint(value):
                return {"file": str(path), **value}
    return None


def _cache_folder() -> Path:
    from dvc.repo import Repo  # type: ignore[import-untyped]

    with Repo() as repo:
        return Path(repo.cache.local.path)


def _unchanged_run_files(folder: Path, md5: str, cache: Path) -> list[str]:
    """Name the run files in a folder whose hash is that of the folder's list in DVC's cache."""
    name = cache / md5[:2] / md5[2:]
    known = {each["relpath"]: each["md5"] for each in read_json(name)} if name.exists() else {}
    return [each for each in _RUN_FILES if each in known and _has_md5(folder / each, known[each])]


def _has_md5(path: Path, md5: object) -> bool:
    return (
        path.is_file() and hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() == md5
    )
