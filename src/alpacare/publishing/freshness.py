"""Provenance of files: DVC's hashes of all their sources, Git's commit; stale files are refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.core.files import read_json
from alpacare.pipeline.changes import open_repo
from alpacare.sharing.git import changed_files, git

REPRO = "run `dvc repro`"


class OutOfDate(BadInput):
    """An output that is missing, or was not made from what is here now."""


@dataclass(frozen=True)
class Commit:
    """The checked-out commit, and the files that differ from it or are not in it."""

    name: str
    changed: list[str]


class RecordedOutputs:
    """The outputs that dvc.lock and *.dvc files record, to compare with the working tree."""

    def __init__(self, repo: Any) -> None:
        outs = {repo.fs.relpath(out.fs_path, repo.root_dir): out for out in repo.index.outs}
        self._outs = {path: out for path, out in outs.items() if out.hash_info}

    def check(self, path: str) -> dict[str, str]:
        """Check that a file or folder is the recorded one; return its and its sources' hashes.

        Raises:
            OutOfDate: it is missing, has changed, or one of its sources has been replaced since.
        """
        hashes = self._trace(path)
        if not Path(path).exists():
            raise OutOfDate(f"{path}: is not here; run `alpacare pull`, or `dvc repro` to make it")
        if self._outs[path].changed_checksum():
            raise OutOfDate(
                f"{path}: is not what DVC recorded; run `dvc repro`, or `dvc checkout` for the "
                "recorded one"
            )
        return hashes

    def read(self, path: str) -> Any:
        """Read a JSON file that is the recorded one; errors as `check` and `read_json`."""
        self.check(path)
        return read_json(Path(path))

    def settings(self, path: str, file: str = "params.yaml") -> dict[str, Any]:
        """Give what an output was made with of a file of settings, from dvc.lock."""
        found: dict[str, Any] = {}
        for dep in self._outs[path].stage.deps:
            if hasattr(dep, "params") and dep.def_path == file and dep.hash_info:
                found |= dep.hash_info.value
        return found

    def made_by(self, path: str) -> str:
        """Name the stage that makes an output, with the cell of a matrix: checkpoint@NAME-SEED."""
        return str(self._outs[path].stage.addressing)

    def output_containing(self, path: Path) -> str | None:
        """Give the recorded output that contains a path, if there is one."""
        inside = (out for out in self._outs if path.resolve().is_relative_to(Path(out).resolve()))
        return next(inside, None)

    def _trace(self, path: str) -> dict[str, str]:
        if path not in self._outs:
            raise OutOfDate(f"{path}: DVC has no record of it; {REPRO}")
        out = self._outs[path]
        hashes: dict[str, str] = {}
        for dep in out.stage.deps:
            if dep.def_path in self._outs:
                if dep.hash_info != self._outs[dep.def_path].hash_info:
                    raise OutOfDate(f"{path}: was made from another {dep.def_path}; {REPRO}")
                hashes |= self._trace(dep.def_path)
        return hashes | {path: out.hash_info.value}


@contextmanager
def open_recorded() -> Iterator[RecordedOutputs]:
    """Open the project in the current folder.

    Raises:
        BadInput: it is not a DVC project, or its dvc.yaml cannot be read.
    """
    with open_repo() as repo:
        yield RecordedOutputs(repo)


def read_commit() -> Commit:
    """Read the checked-out commit and the uncommitted changes from Git.

    Raises:
        BadInput: no Git repository, or one without a commit.
    """
    return Commit(_git("rev-parse", "HEAD"), changed_files())


def is_ignored(path: Path) -> bool:
    """Return whether Git ignores a path, or it is outside of the working tree."""
    top = Path(_git("rev-parse", "--show-toplevel"))
    if not path.resolve().is_relative_to(top.resolve()):
        return True
    return bool(git("check-ignore", str(path / "README.md")))


def _git(*words: str) -> str:
    answer = git(*words)
    if not answer:
        raise BadInput("there is no commit to name in the card; run `git init` and commit first")
    return answer
