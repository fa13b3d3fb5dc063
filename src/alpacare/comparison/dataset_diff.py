"""`alpacare diff REV --data`: the rows of each dataset at a commit and now, by id."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from alpacare.comparison.revisions import MissingFile, Revision
from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.files import read_json
from alpacare.filtering.near_duplicates import NearDuplicatePair, pairs_across
from alpacare.filtering.tokens import auto
from alpacare.pipeline import paths
from alpacare.pipeline.dvc_yaml import outputs
from alpacare.pipeline.params import Params
from alpacare.pipeline.sources import skipped_stages
from alpacare.records.dropped import Dropped
from alpacare.statistics.dataset import DatasetRow

Rows = Mapping[str, DatasetRow]
Reasons = Mapping[str, str]  # why a row was dropped, by id
_NEAR = 0.7  # ROUGE-L F above which a removed row and an added one are the same, reworded
_FIELDS = ("messages", "output", "type", "topic", "view", "difficulty")


@dataclass(frozen=True)
class DatasetDiff:
    """One file of rows, then and now; `dropped`: why rows are in neither, then and now."""

    path: str
    then: Rows
    now: Rows
    dropped: tuple[Reasons, Reasons] = ({}, {})

    @cached_property
    def added(self) -> list[DatasetRow]:
        """Rows that are new, in their order."""
        return [row for id, row in self.now.items() if id not in self.then]

    @cached_property
    def removed(self) -> list[DatasetRow]:
        """Rows that are gone, in their order."""
        return [row for id, row in self.then.items() if id not in self.now]

    @cached_property
    def changed(self) -> dict[str, list[str]]:
        """The fields that differ of rows that are in both, by id."""
        both = {id: (row, self.now[id]) for id, row in self.then.items() if id in self.now}
        found = {
            id: [name for name in _FIELDS if getattr(old, name, None) != getattr(new, name, None)]
            for id, (old, new) in both.items()
        }
        return {id: names for id, names in found.items() if names}

    @property
    def same(self) -> bool:
        """Whether both versions hold the same rows."""
        return not (self.added or self.removed or self.changed)

    def why_removed(self) -> Counter[str]:
        """Count the rows that are gone by the reason that a stage gives now."""
        return Counter(self.dropped[1].get(row.id, "not made any more") for row in self.removed)

    def why_added(self) -> Counter[str]:
        """Count the new rows by the reason that dropped them then."""
        known = (self.dropped[0].get(row.id) for row in self.added)
        return Counter(f"{reason} then" if reason else "new" for reason in known)

    @cached_property
    def reworded(self) -> list[tuple[DatasetRow, DatasetRow, float]]:
        """Give each added row that is near a removed one: that row, it, and their ROUGE-L F."""
        if not (self.removed and self.added):
            return []
        removed, added = map(_texts, (self.removed, self.added))
        nearest: dict[int, NearDuplicatePair] = {}
        for pair in pairs_across(removed, added, _NEAR, auto):
            if pair.second not in nearest or pair.score > nearest[pair.second].score:
                nearest[pair.second] = pair
        pairs = sorted(nearest.values(), key=lambda pair: pair.second)
        return [(self.removed[p.first], self.added[p.second], p.score) for p in pairs]


def _texts(rows: Sequence[DatasetRow]) -> list[str]:
    return [f"{row.instruction} {row.input}" for row in rows]


def diff_datasets(params: Params, then: Revision, now: Revision) -> Iterator[DatasetDiff]:
    """Compare each dataset that either version has.

    Raises:
        BadInput: a file has a bad row; a file of `then` is in no cache and no remote.
    """
    reasons = _reasons(then), _reasons(now)
    for path in _datasets(params, then):
        before, after = _rows(then, path), _rows(now, path)
        if before or after:
            yield DatasetDiff(path, before, after, reasons)


def dollars(revision: Revision) -> dict[str, float]:
    """Give what the answers in use cost, by paid stage, of the stages that have run."""
    found = {}
    for stage in ("instructions", "responses"):
        (path,) = map(str, outputs("llm_usage", "metrics/", paid=stage))
        if revision.has(path):
            found[stage] = float(revision.read(path, read_json)["dollars"])
    return found


def _datasets(params: Params, then: Revision) -> list[str]:
    """List the files in the pipeline's order: those of stages, imported ones, each student's."""
    stages = [str(paths.rows(stage)) for stage in ("seeds", *paths.WITH_DROPPED)]
    imported = [path for path in then.outputs("data/imported") if path.endswith(".jsonl")]
    imported += map(str, sorted(Path("data/imported").glob("*.jsonl")))
    used = [str(paths.instructions(params)), str(paths.training_rows(params))]
    students = [str(paths.student_rows(student)) for student in params.students]
    skipped = {str(paths.rows(stage)) for stage in skipped_stages(params)}
    every = dict.fromkeys([*stages, *imported, *used, *students])
    return [path for path in every if path not in skipped or then.has(path)]


def _rows(revision: Revision, path: str) -> Rows:
    if not (revision.has(path) or (revision.rev is None and Path(path).exists())):
        return {}
    rows = revision.read(path, lambda file: jsonl.read(file, DatasetRow, unique="id"))
    return {row.id: row for row in rows}


def _reasons(revision: Revision) -> Reasons:
    """Read why each stage dropped rows; a file that is nowhere gives no reason."""
    found: dict[str, str] = {}
    for stage in paths.WITH_DROPPED:
        path = str(paths.dropped(stage))
        if not revision.has(path):
            continue
        try:
            rows: Sequence[Dropped] = revision.read(path, lambda file: jsonl.read(file, Dropped))
        except MissingFile:
            continue
        found |= {row.id: f"{row.reason} ({stage})" for row in rows}
    return found


def check_any(found: Sequence[DatasetDiff], rev: str) -> None:
    """Refuse to compare nothing.

    Raises:
        BadInput: neither version has a dataset.
    """
    if not found:
        raise BadInput(f"no dataset is here or at {rev}; run `make demo`, or `alpacare pull`")
