"""Files as they stand in the working tree or stood at a commit: from Git, DVC's cache, its remote.

A commit holds the hashes of DVC's files. The cache is looked into first, so that nothing is asked
over a network for what is here; DVC's own file system would look at the remote's settings anyway.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from alpacare.core.errors import BadInput

T = TypeVar("T")


class Missing(BadInput):
    """A file that its commit knows of, and that can be had nowhere."""


class Revision:
    """One state of the project; `rev` is a commit as Git names it, None the working tree."""

    def __init__(self, rev: str | None, repo: Any, folder: Path) -> None:
        self.rev = rev
        self._repo = repo
        self._folder = folder
        outs = {repo.fs.relpath(out.fs_path, repo.root_dir): out for out in repo.index.outs}
        self._outs = {path: out for path, out in outs.items() if out.hash_info}

    def name(self, path: str) -> str:
        """Name a file as Git does: COMMIT:PATH."""
        return f"{self.rev}:{path}" if self.rev else path

    def has(self, path: str) -> bool:
        """Tell whether there is such a file, or DVC knows its hash."""
        return path in self._outs or self._stands(path)

    def outputs(self, folder: str) -> list[str]:
        """List DVC's files below a folder."""
        return [path for path in self._outs if path.startswith(f"{folder}/")]

    def inputs(self, path: str) -> dict[str, str]:
        """Give what an output was made from, as dvc.lock has it: a hash for each path."""
        deps = self._outs[path].stage.deps if path in self._outs else []
        return {dep.def_path: dep.hash_info.value for dep in deps if dep.hash_info}

    def read(self, path: str, reader: Callable[[Path], T]) -> T:
        """Read a file.

        Raises:
            BadInput: the reader's, with the file named as `name` does.
            Missing: it is neither here nor in the cache nor in the remote.
        """
        place = self._find(path)
        try:
            return reader(place)
        except BadInput as error:
            raise BadInput(str(error).replace(str(place), self.name(path))) from error

    def behind(self) -> bool:
        """Tell whether settings or files of the working tree changed since its stages ran."""
        entries = [entry for each in self._repo.status().values() for entry in each]
        changes = [entry.get("changed deps", {}) for entry in entries if isinstance(entry, dict)]
        return "changed command" in entries or any("modified" in str(each) for each in changes)

    def _find(self, path: str) -> Path:
        """Give a place on this disk where the file's content is."""
        if self.rev is None and Path(path).exists():
            return Path(path)
        if path in self._outs and Path(self._outs[path].cache_path).exists():
            return Path(self._outs[path].cache_path)
        copy = self._folder / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(self._fetch(path))
        return copy

    def _fetch(self, path: str) -> bytes:
        if self._stands(path):
            content: bytes = self._repo.fs.open(self._inside(path), "rb").read()
            return content
        try:
            content = self._repo.dvcfs.open(path, "rb").read()
        except FileNotFoundError as error:
            raise Missing(self._advise(path)) from error
        except Exception as error:  # each kind of remote fails in its own way
            raise Missing(f"{self._advise(path)} (the remote says: {error})") from error
        return content

    def _stands(self, path: str) -> bool:
        return bool(self._repo.fs.exists(self._inside(path)))

    def _inside(self, path: str) -> str:
        return str(self._repo.fs.join(self._repo.root_dir, path))

    def _advise(self, path: str) -> str:
        where = f"{self.name(path)}: neither in DVC's cache nor in its remote"
        if self.rev is None:
            return f"{where}; run `dvc repro`, or `dvc push` where it was made"
        return f"{where}; run `dvc push --all-commits` where it was made"


@contextmanager
def open_revision(rev: str | None) -> Iterator[Revision]:
    """Open a commit, or with None the working tree, of the project in the current folder.

    Raises:
        BadInput: no Git repository, no such commit, or one whose dvc.yaml cannot be read.
    """
    if rev is not None and not rev.strip():
        raise BadInput("no commit is named; say one, as HEAD~1")
    from dvc.exceptions import DvcException  # type: ignore[import-untyped]
    from dvc.repo import Repo  # type: ignore[import-untyped]

    try:
        with (
            Repo.open(None, rev=rev, uninitialized=True) as repo,
            tempfile.TemporaryDirectory() as folder,
        ):
            yield Revision(rev, repo, Path(folder))
    except (DvcException, AttributeError) as error:  # the second: it is a tree, or a file
        raise BadInput(f"cannot read {rev or 'the working tree'}: {error}") from error
