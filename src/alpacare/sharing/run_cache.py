"""Push and pull of DVC's run-cache: which command on which inputs gave which outputs.

`dvc push --run-cache` copies every entry each time, one after another, and continues when the
remote fails. An entry's name is a hash of its content, so here only missing entries are copied, in
parallel, the first failure ends it, and an entry that was changed on the remote is deleted.
"""

import re
from pathlib import Path
from typing import Any

_ENTRY = re.compile(r"[0-9a-f]{2}/[0-9a-f]{64}/[0-9a-f]{64}")


def push_runs(repo: Any, remote: Any) -> int:
    """Copy the entries that the remote lacks; return how many."""
    here, there = _places(repo, remote)
    return len(_copy_missing(here, there))


def pull_runs(repo: Any, remote: Any) -> tuple[int, int]:
    """Copy the entries that are missing here; return how many, and how many were changed."""
    here, there = _places(repo, remote)
    copied = _copy_missing(there, here)
    changed = [path for name in copied if not _is_intact(path := Path(here[1], name))]
    for path in changed:
        path.unlink()
    return len(copied) - len(changed), len(changed)


def _places(repo: Any, remote: Any) -> tuple[tuple[Any, str], tuple[Any, str]]:
    """Give the file system and the folder of the run-cache here, and those of the remote's."""
    from dvc.fs import localfs  # type: ignore[import-untyped]

    here = localfs, repo.stage_cache.cache_dir
    return here, (remote.fs, remote.fs.join(remote.path, "runs"))


def _list(fs: Any, folder: str) -> set[str]:
    """List entries as KEY[:2]/KEY/VALUE; other files are of writes that were cut off."""
    if not fs.exists(folder):
        return set()
    names = (fs.as_posix(fs.relpath(path, folder)) for path in fs.find(folder))
    return {name for name in names if _ENTRY.fullmatch(name)}


def _copy_missing(here: tuple[Any, str], there: tuple[Any, str]) -> set[str]:
    """Copy the entries that one place has and the other lacks, each whole or not at all."""
    from dvc.fs import generic
    from dvc_objects.executors import ThreadPoolExecutor

    (from_fs, source), (to_fs, target) = here, there
    missing = _list(from_fs, source) - _list(to_fs, target)

    def copy(name: str) -> None:
        place = to_fs.join(target, *name.split("/"))
        to_fs.makedirs(to_fs.parent(place), exist_ok=True)
        generic.copy(from_fs, from_fs.join(source, *name.split("/")), to_fs, place)

    with ThreadPoolExecutor(max_workers=to_fs.jobs, cancel_on_error=True) as pool:
        list(pool.imap_unordered(copy, sorted(missing)))
    return missing


def _is_intact(path: Path) -> bool:
    """Return whether an entry matches its name and its folder's name."""
    from dvc.utils import dict_sha256  # type: ignore[import-untyped]
    from dvc.utils.serialize import load_yaml  # type: ignore[import-untyped]

    try:
        run = load_yaml(path)
        value = dict_sha256(run, exclude=["size", "nfiles"])
        inputs = run | {"outs": [out["path"] for out in run["outs"]]}
        key = dict_sha256(inputs, exclude=["size", "nfiles"])
    except Exception:  # a changed file may fail in any way
        return False
    return (path.parent.name, path.name) == (key, value)
