"""Files of the working tree or of a commit: from Git, DVC's cache or DVC's remote.

A commit holds the hashes of DVC's files. The cache is read first, without DVC's own file system,
which would read the remote's settings even for files that are here.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from alpacare.core.errors import BadInput

T = TypeVar("T")
# Other inputs of scores: if one changed, the difference may not be due to the model alone.
_OTHERS = (
    "data/tests/", "data/benchmarks/",
    "src/alpacare/judging", "src/alpacare/local_judging", "src/alpacare/benchmarks",
)  # fmt: skip


class MissingFile(BadInput):
    """A file that dvc.lock names, and that is neither in the cache nor in the remote."""


class Revision:
    """One version of the project; `rev` is a commit as Git names it, None the working tree."""

    def __init__(self, rev: str | None, repo: Any, folder: Path) -> None:
        self.rev = rev
        self._repo = repo
        self._folder = folder
        outs = {repo.fs.relpath(out.fs_path, repo.root_dir): out for out in repo.index.outs}
        self._outs = {path: out for path, out in outs.items() if out.hash_info}
        self._trees: dict[str, Any] = {}

    def name(self, path: str) -> str:
        """Name a file as Git does: COMMIT:PATH."""
        return f"{self.rev}:{path}" if self.rev else path

    def has(self, path: str) -> bool:
        """Whether the file exists, or DVC knows its hash, or it may be in a folder not listed."""
        out = self._out(path)
        known = out is not None and not (out.hash_info.isdir and self._lacks(out, path))
        return known or self._in_tree(path)

    def outputs(self, folder: str) -> list[str]:
        """List DVC's files below a folder; of a folder whose list is missing, its own path."""
        found: list[str] = []
        for path, out in self._outs.items():
            if path.startswith(f"{folder}/"):
                names = self._names_in(path) if out.hash_info.isdir else [path]
                found += names or [path]
        return found

    def _names_in(self, path: str) -> list[str]:
        if tree := self._tree(path):
            return ["/".join((path, *key)) for key, _ in tree.iteritems()]
        try:
            return [str(name) for name in self._repo.dvcfs.find(path)]
        except Exception:  # each kind of remote raises errors of its own
            return []

    def texts(self, folder: str) -> dict[str, bytes]:
        """Give the content of every file of Git in a folder, by its path in there."""
        files, top = self._repo.fs, self._repo_path(folder)
        return {files.relpath(path, top): files.open(path, "rb").read() for path in files.find(top)}

    def inputs(self, path: str) -> dict[str, str]:
        """Give the hashes of the files that an output was made from, by path, as in dvc.lock."""
        out = self._out(path)
        deps = out.stage.deps if out else []
        return {dep.def_path: dep.hash_info.value for dep in deps if dep.hash_info}

    def read(self, path: str, reader: Callable[[Path], T]) -> T:
        """Read a file.

        Raises:
            BadInput: raised by the reader; the file is named as `name` does.
            MissingFile: the file is neither here nor in the cache nor in the remote.
        """
        file = self._find(path)
        try:
            return reader(file)
        except BadInput as error:
            raise BadInput(str(error).replace(str(file), self.name(path))) from error

    def is_outdated(self) -> bool:
        """Whether settings or files of the working tree changed since its stages ran."""
        entries = [entry for each in self._repo.status().values() for entry in each]
        changes = [entry.get("changed deps", {}) for entry in entries if isinstance(entry, dict)]
        return "changed command" in entries or any("modified" in str(each) for each in changes)

    def _find(self, path: str) -> Path:
        """Give a path on this disk that has the file's content."""
        if self.rev is None and Path(path).exists():
            return Path(path)
        if (cached := self._cached(path)) and cached.exists():
            return cached
        copy = self._folder / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(self._fetch(path))
        return copy

    def _fetch(self, path: str) -> bytes:
        if self._in_tree(path):
            content: bytes = self._repo.fs.open(self._repo_path(path), "rb").read()
            return content
        try:
            content = self._repo.dvcfs.open(path, "rb").read()
        except Exception as error:  # each kind of remote raises errors of its own
            reason = self._remote_error() or error.__cause__ or error
            said = "" if isinstance(reason, FileNotFoundError) else f" (the remote says: {reason})"
            todo = "`dvc push --all-commits`" if self.rev else "`dvc repro`, or `dvc push`"
            raise MissingFile(
                f"{self.name(path)}: neither in DVC's cache nor in its remote; "
                f"run {todo} where it was made{said}"
            ) from error
        return content

    def _cached(self, path: str) -> Path | None:
        """Give where DVC's cache would hold a file, which may be one of a folder."""
        out = self._out(path)
        if out is None:
            return None
        if not out.hash_info.isdir:
            return Path(out.cache_path)
        entry = self._entry(out, path)
        return Path(out.cache.oid_to_path(entry[1].value)) if entry else None

    def _lacks(self, out: Any, path: str) -> bool:
        """Whether a folder is listed, and the file is not in it."""
        return self._tree(self._top(out)) is not None and self._entry(out, path) is None

    def _entry(self, out: Any, path: str) -> Any:
        """Give what DVC's list of a folder says of a file in it; None if nothing."""
        top = self._top(out)
        return (self._tree(top) or {}).get(Path(path).relative_to(top).parts)

    def _top(self, out: Any) -> str:
        return str(self._repo.fs.relpath(out.fs_path, self._repo.root_dir))

    def _tree(self, folder: str) -> Any:
        """Give DVC's list of the files in a folder; None where the cache has none."""
        if folder not in self._trees:
            self._trees[folder] = self._outs[folder].get_obj()
        return self._trees[folder]

    def _out(self, path: str) -> Any:
        """Give DVC's output that a file is, or is in; None if there is none."""
        places = [path, *map(str, Path(path).parents)]
        return next((self._outs[place] for place in places if place in self._outs), None)

    def _remote_error(self) -> Exception | None:
        """Give what is wrong with the remote itself, which DVC hides when it reads a folder."""
        try:
            self._repo.cloud.get_remote_odb()
        except Exception as error:  # its plugin is missing, its settings are wrong, ...
            return error
        return None

    def _in_tree(self, path: str) -> bool:
        return bool(self._repo.fs.exists(self._repo_path(path)))

    def _repo_path(self, path: str) -> str:
        return str(self._repo.fs.join(self._repo.root_dir, path))


def trainings_behind(revision: Revision, answers: Sequence[str]) -> dict[str, str]:
    """Give the hashes of the checkpoints that files of answers were made with, by path."""
    return {
        path: hash
        for file in answers
        for path, hash in revision.inputs(file).items()
        if path.startswith("models/checkpoint/")
    }


def changed_inputs(then: Revision, now: Revision, path: str) -> set[str]:
    """Name what an output was made from besides answers and models, where it has changed."""
    old, new = then.inputs(path), now.inputs(path)
    if not (old and new):
        return set()
    return {
        f"{name}/" if name.startswith("src/") else name
        for name in old.keys() | new.keys()
        if name.startswith(_OTHERS) and old.get(name) != new.get(name)
    }


@contextmanager
def open_revision(rev: str | None) -> Iterator[Revision]:
    """Open a commit, or with None the working tree, of the project in the current folder.

    Raises:
        BadInput: no Git repository, no such commit, or its dvc.yaml cannot be read.
    """
    if rev is not None and not rev.strip():
        raise BadInput("no commit is named; name one, such as HEAD~1")
    from dvc.exceptions import DvcException  # type: ignore[import-untyped]
    from dvc.repo import Repo  # type: ignore[import-untyped]

    try:
        with (
            Repo.open(None, rev=rev, uninitialized=True) as repo,
            tempfile.TemporaryDirectory() as folder,
        ):
            yield Revision(rev, repo, Path(folder))
    except (DvcException, AttributeError) as error:  # AttributeError: `rev` is a tree or a file
        raise BadInput(f"cannot read {rev or 'the working tree'}: {error}") from error
