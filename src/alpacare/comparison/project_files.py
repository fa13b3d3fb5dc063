"""The files of the project for a notebook, which may run in any folder of a clone; at any commit.

Paths come from dvc.yaml and are relative. So files are read in the project's top folder, or for a
commit in a temporary one, which gets the commit's dvc.yaml and of its results what is asked for.
"""

import contextlib
import tempfile
import threading
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import Field

from alpacare.comparison.leaderboard import chosen_cells
from alpacare.comparison.revisions import Revision, open_revision
from alpacare.core.errors import BadInput
from alpacare.core.names import Names, Slugs
from alpacare.core.settings import Settings, check, read_yaml
from alpacare.evaluation.score import Cell
from alpacare.pipeline.params import Params, SourcesSettings, read_params
from alpacare.records.comparisons import JudgmentsSettings, ModelsSettings
from alpacare.sharing.git import git

_DVC, _PARAMS = Path("dvc.yaml"), Path("params.yaml")
_METRICS = "metrics"
_SHOWN = 3  # reasons in one warning
_one_at_a_time = threading.RLock()  # a process has one current folder


class ComparedSettings(Settings):
    """What params.yaml must say in any commit: who was compared with whom, and trained on what."""

    tests: Slugs
    students: Slugs
    training_seeds: list[int]
    benchmarks: Names = Field(default=[])  # settings of earlier commits have none
    models: ModelsSettings
    judgments: JudgmentsSettings
    sources: SourcesSettings


@dataclass
class ProjectFiles:
    """One version of the project; `revision` None is the working tree.

    `missing`: why files that params.yaml promises are not there.
    """

    params: Params
    top: Path
    revision: Revision | None = None
    missing: dict[str, None] = field(default_factory=dict)

    def has(self, path: Path) -> bool:
        """Whether a file is there; a commit's is fetched, from Git or DVC's cache or remote."""
        if path.exists():
            return True
        if self.revision is None:
            self.missing[f"{path}: not there yet; run `dvc repro`, or `alpacare pull`"] = None
            return False
        try:
            with contextlib.chdir(self.top):  # where the addresses of DVC's remotes begin
                found = self.revision.read(str(path), Path.absolute)
        except BadInput as error:
            name = self.revision.name(str(path))
            in_git = path.parts[0] == _METRICS  # of these DVC has no copy
            reason = f"{name}: not in that commit" if in_git else " ".join(str(error).split())
            self.missing[reason] = None
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(found)
        return True

    def require(self, path: Path) -> Path:
        """Give the path of a file that is there.

        Raises:
            BadInput: it is not.
        """
        if not self.has(path):
            raise BadInput(next(reversed(self.missing)))
        return path

    def cells(self, test: str | None, judge: str | None, model: str | None) -> list[Cell]:
        """Give the comparisons of these names; without a name all.

        Raises:
            BadInput: no such name; the names that there are.
        """
        if model is not None:
            self.check_model(model)
        cells = chosen_cells(self.params, test, judge)
        return [cell for cell in cells if model in (None, cell.model)]

    def check_model(self, name: str) -> None:
        """Check that a student or another contestant has this name."""
        others = self.params.judgments.contestants
        if name not in (*self.params.students, *others):
            raise BadInput(
                f"no model '{name}' in params.yaml; students: {', '.join(self.params.students)}; "
                f"other contestants: {', '.join(others) or 'none'}"
            )

    def check_student(self, name: str) -> None:
        """Check that a student has this name."""
        known = self.params.students
        if name not in known:
            raise BadInput(f"no student '{name}' in students of params.yaml: {', '.join(known)}")

    def note(self, *reasons: str) -> None:
        """Put these first among what is missing."""
        self.missing = dict.fromkeys([*reasons, *self.missing])

    def check_found(
        self, rows: Sequence[Any], otherwise: str = "no model has answered a test set"
    ) -> None:
        """Warn of what is missing; `otherwise`: why there are no rows although nothing is.

        Raises:
            BadInput: nothing was found at all.
        """
        reasons = list(self.missing)
        more = [f"{len(reasons) - _SHOWN} more"] if len(reasons) > _SHOWN else []
        text = "; ".join([*reasons[:_SHOWN], *more])
        if not rows:
            raise BadInput(text or otherwise)
        if reasons:
            warnings.warn(f"left out: {text}", stacklevel=3)  # it names the notebook's line


@contextlib.contextmanager
def open_project(rev: str | None) -> Iterator[ProjectFiles]:
    """Open the project around the current folder, and be where its paths begin.

    Raises:
        BadInput: not in a project, no such commit, or none of this pipeline; any error in a
            commit's files names the commit.
    """
    with _one_at_a_time:
        top = _find_top()
        with contextlib.chdir(top):
            if rev is None:
                yield ProjectFiles(read_params(), top)
            else:
                with _open_commit(rev, top) as files, _named(rev):
                    yield files


def _find_top() -> Path:
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / _DVC).exists() and (folder / _PARAMS).exists():
            return folder
    raise BadInput(
        f"{here}: neither this folder nor one above it has dvc.yaml and params.yaml; start the "
        "notebook in a clone, or call os.chdir('PATH/OF/THE/CLONE') first"
    )


@contextlib.contextmanager
def _open_commit(rev: str, top: Path) -> Iterator[ProjectFiles]:
    how = read_params().scores  # intervals of all commits alike, and as the commands give them
    with contextlib.ExitStack() as stack:
        try:
            revision = stack.enter_context(open_revision(rev))
        except BadInput as error:
            raise BadInput(f"{error}{_known_commits(rev)}") from error
        params = revision.read(str(_PARAMS), lambda path: _read_compared(path, how))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        files = ProjectFiles(params, top, revision)
        stack.enter_context(contextlib.chdir(folder))
        for path in (_DVC, _PARAMS):
            files.require(path)
        yield files


def _read_compared(path: Path, how: Any) -> Params:
    """Read who was compared; sections that are not needed here may be of an earlier version."""
    found = read_yaml(path)
    if "students" not in found:
        raise BadInput(f"{path}: names no students; it is older than this pipeline")
    known = {key: found[key] for key in ComparedSettings.model_fields if key in found}
    settings = check(known, ComparedSettings, f"{path}: ")
    return Params.model_construct(**dict(settings), scores=how)


def _known_commits(rev: str) -> str:
    """Say which names Git has, if it does not know this one; "" if it does."""
    if git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}"):
        return ""
    names = git("for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags").split()
    shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    return f"; branches and tags here: {shown or 'none'}; or a hash of `git log`, or HEAD~1"


@contextlib.contextmanager
def _named(rev: str) -> Iterator[None]:
    """Have errors in a commit's files name the commit."""
    try:
        yield
    except BadInput as error:
        text = str(error)
        raise BadInput(text if text.startswith(rev) else f"{rev}: {text}") from error
