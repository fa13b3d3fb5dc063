"""DVC's run-cache, to a remote and back: which command on which inputs gave which outputs.

`dvc push --run-cache` copies every entry, one after another, each time, and goes on when the remote
is gone. An entry's name is a hash of its content, so here only those that lack are copied, many at
once, the first failure ends it, and one that comes back changed is not kept.
"""

import re
from pathlib import Path
from typing import Any

_ENTRY = re.compile(r"[0-9a-f]{2}/[0-9a-f]{64}/[0-9a-f]{64}")


def push_runs(repo: Any, remote: Any) -> int:
    """Copy the entries that the remote lacks; say how many."""
    from dvc.fs import localfs  # type: ignore[import-untyped]

    fs, folder = remote.fs, remote.fs.join(remote.path, "runs")
    here = repo.stage_cache.cache_dir
    lacking = _list(localfs, here) - _list(fs, folder)
    _copy(localfs, here, fs, folder, lacking)
    return len(lacking)


def pull_runs(repo: Any, remote: Any) -> tuple[int, int]:
    """Copy the entries that lack here; say how many, and how many came back changed."""
    from dvc.fs import localfs

    fs, folder = remote.fs, remote.fs.join(remote.path, "runs")
    here = repo.stage_cache.cache_dir
    lacking = _list(fs, folder) - _list(localfs, here)
    _copy(fs, folder, localfs, here, lacking)
    changed = [path for name in lacking if not _is_sound(path := Path(here, name))]
    for path in changed:
        path.unlink()
    return len(lacking) - len(changed), len(changed)


def _list(fs: Any, folder: str) -> set[str]:
    """List entries as KEY[:2]/KEY/VALUE; other files are of writers that were cut off."""
    if not fs.exists(folder):
        return set()
    names = (fs.as_posix(fs.relpath(path, folder)) for path in fs.find(folder))
    return {name for name in names if _ENTRY.fullmatch(name)}


def _copy(from_fs: Any, source: str, to_fs: Any, target: str, names: set[str]) -> None:
    """Copy files, each whole or not at all."""
    from dvc.fs import generic
    from dvc_objects.executors import ThreadPoolExecutor

    def copy(name: str) -> None:
        place = to_fs.join(target, *name.split("/"))
        to_fs.makedirs(to_fs.parent(place), exist_ok=True)
        generic.copy(from_fs, from_fs.join(source, *name.split("/")), to_fs, place)

    with ThreadPoolExecutor(max_workers=to_fs.jobs, cancel_on_error=True) as pool:
        list(pool.imap_unordered(copy, sorted(names)))


def _is_sound(path: Path) -> bool:
    """Tell whether an entry is what its name and its folder's name say."""
    from dvc.utils import dict_sha256  # type: ignore[import-untyped]
    from dvc.utils.serialize import load_yaml  # type: ignore[import-untyped]

    try:
        run = load_yaml(path)
        value = dict_sha256(run, exclude=["size", "nfiles"])
        question = run | {"outs": [out["path"] for out in run["outs"]]}
        key = dict_sha256(question, exclude=["size", "nfiles"])
    except Exception:  # whatever may be wrong with a file that was changed
        return False
    return (path.parent.name, path.name) == (key, value)
