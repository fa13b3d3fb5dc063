"""Repair of what a kill leaves of DVC's own files, so that the same command goes on.

DVC writes dvc.lock, *.dvc files and .dvc/tmp/rwlock in place, and fails on one that was cut off. A
dvc.lock that lacks entries is enough: DVC's run-cache restores what they recorded.
"""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.core.file_lock import hold_lock
from alpacare.core.files import atomic_file
from alpacare.core.lock_copy import COPY, LOCK, keep_lock_copy
from alpacare.sharing.git import git, read_version
from alpacare.sharing.tracked import dvc_add

_TMP = Path(".dvc/tmp")
_RWLOCK = _TMP / "rwlock"
_CUT_OFF = "was cut off, as by a kill while DVC wrote it"
_COMMITS = 5  # of those that changed a file, how many are tried


def repair_dvc() -> Iterator[str]:
    """Restore what was cut off, and keep a copy of dvc.lock; give a line for each repair.

    Raises:
        BadInput: one of the files has a merge conflict, or was cut off and may yet be written: a
            run is under way.
    """
    if not Path(".dvc").is_dir():
        return
    if not all(map(_is_whole, _files())):
        with hold_dvc():
            restored = {path: _restore(path) for path in _files() if not _is_whole(path)}
        yield from restored.values()
        records = [path for path in restored if path != LOCK and not path.exists()]
        removed = [path.with_suffix("") for path in records]
        if tracked := [path for path in removed if path.exists()]:
            dvc_add(tracked)
            yield f"{', '.join(map(str, tracked))}: tracked by DVC anew"
    keep_lock_copy()
    yield from _remove_left_rwlock()


def _files() -> list[Path]:
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.dvc")
    return [path for path in (LOCK, *map(Path, filter(None, listed.split("\0")))) if path.exists()]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


@contextmanager
def hold_dvc() -> Iterator[None]:
    """Hold the locks of DVC and of its stages.

    Raises:
        BadInput: a run is under way.
    """
    _TMP.mkdir(exist_ok=True)
    with (
        hold_lock(_TMP / "lock", what="DVC"),
        hold_lock(_TMP / "stage.lock", what="a stage of this pipeline"),
    ):
        yield


def _is_whole(path: Path) -> bool:
    text = _read(path)
    if path == LOCK and COPY.exists() and text == _read(COPY) and text:
        return True  # a second spared: DVC has read it since
    if re.search(r"^<{7} ", text, re.MULTILINE):
        raise BadInput(f"{path}: has a merge conflict; docs/teamwork.md says how to settle it")
    return _can_be_read(path, text)


def _can_be_read(path: Path, text: str) -> bool:
    """Return whether DVC can read a text, and it ends with a line: half a hash is YAML, too."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    if not text.endswith("\n") and text != read_version(path):  # an editor may leave that out
        return False
    try:
        value = YAML(typ="safe").load(text)
    except YAMLError:
        return False
    return _is_lock(value) if path == LOCK else _is_record(value)


def _is_lock(value: Any) -> bool:
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA  # type: ignore[import-untyped]
    from voluptuous import Invalid

    try:
        COMPILED_LOCKFILE_SCHEMA(value)
    except Invalid:
        return False
    return True


def _is_record(value: Any) -> bool:
    """Return whether it can be a .dvc file, whose last line is a path if DVC wrote it."""
    outs = value.get("outs") if isinstance(value, dict) else None
    return isinstance(outs, list) and all(isinstance(o, dict) and "path" in o for o in outs)


def _restore(path: Path) -> str:
    """Replace a file by its newest whole version, or remove it; it is kept in .dvc/tmp."""
    shutil.copyfile(path, _TMP / f"{path.name}.damaged")
    rest = "; DVC's run-cache gives back the rest" if path == LOCK else ""
    for source, text in _versions(path):
        if text and _can_be_read(path, text):
            with atomic_file(path) as file:
                file.write(text)
            return f"{path}: {_CUT_OFF}; restored from {source}{rest}"
    path.unlink()
    return f"{path}: {_CUT_OFF}; removed, as there is no other version of it{rest}"


def _versions(path: Path) -> Iterator[tuple[str, str]]:
    """Give other versions of a file with their source, the newest first."""
    commits = git("log", f"-{_COMMITS}", "--format=%h", "--", str(path)).split()
    names = {"": "Git's index", **{each: f"commit {each}" for each in commits}}
    in_git = ((name, read_version(path, commit)) for commit, name in names.items())
    if path != LOCK or not COPY.exists():
        return in_git
    kept_at = COPY.stat().st_mtime
    copy = [(f"the copy of {datetime.fromtimestamp(kept_at):%Y-%m-%d %H:%M}", _read(COPY))]
    return chain(in_git, copy) if _checked_out_at() > kept_at else chain(copy, in_git)


def _checked_out_at() -> int:
    """Give the time of Git's last commit, checkout or merge here, in Unix seconds; 0: unknown."""
    found = re.search(r"\d+(?=}$)", git("log", "-g", "-1", "--date=unix", "--format=%gd"))
    return int(found[0]) if found else 0


def _remove_left_rwlock() -> Iterator[str]:
    """Remove DVC's list of who reads and writes what, if no process in it can be DVC's."""
    with suppress(BadInput):  # a run is under way, and the list is its own
        if _is_left(_RWLOCK):
            with hold_dvc():
                _RWLOCK.unlink()
            yield f"{_RWLOCK}: removed, as a run that was killed left it"


def _is_left(rwlock: Path) -> bool:
    """Return whether it was cut off, or names processes that have begun since it was written.

    Numbers are reused after a restart, in a container most of all; DVC would wait for them.
    """
    import psutil

    if not rwlock.exists():
        return False
    written_at = rwlock.stat().st_mtime
    try:
        held = json.loads(rwlock.read_text())
        users = [*held.get("write", {}).values(), *chain(*held.get("read", {}).values())]
        numbers = {user["pid"] for user in users}
        begun = [psutil.Process(n).create_time() for n in numbers if psutil.pid_exists(n)]
    except ValueError:
        return True
    except psutil.NoSuchProcess:  # it has just ended
        return False
    return bool(begun) and min(begun) > written_at + 1
