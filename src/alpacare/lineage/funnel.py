"""`alpacare funnel`: how many came to each stage, how many stayed, and why the rest went.

Counted by the stages themselves and kept in Git, so that a clone without data can tell; where a
metrics file is missing, from the rows.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from alpacare.core import jsonl
from alpacare.core.files import read_json
from alpacare.datasets.seed_files import read_source
from alpacare.pipeline import paths
from alpacare.pipeline.dvc_yaml import dependencies, outputs
from alpacare.pipeline.params import Params, read_params

_CALLS = "calls"
_STALE = "one of them is of another time; `make repro` brings them together"
_END = {"length": "cut off", "content_filter": "refused"}


@dataclass(frozen=True)
class Count:
    """One line: `kept` of `total`, which are `what`; `lost` of the total and `marked` of the kept.

    `cell` is the test set, or test set, reference and judge, where a stage has several.
    """

    stage: str
    what: str
    total: int
    kept: int
    file: Path
    lost: Mapping[str, int] = field(default_factory=dict)
    marked: Mapping[str, int] = field(default_factory=dict)
    cell: str = ""


@dataclass
class Funnel:
    """All lines, and what could not be counted or does not fit together."""

    counts: list[Count] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Give it for scripts."""
        lines = [asdict(count) | {"file": str(count.file)} for count in self.counts]
        return {"counts": lines, "notes": self.notes}

    def add(self, stage: str, counts: Iterable[Count]) -> None:
        """Take what is being counted; a file that is missing becomes a note."""
        try:
            self.counts += counts
        except _NotHere as error:
            self.notes.append(f"{stage}: {error}")


class _NotHere(Exception):
    """Neither the count nor the rows are here."""


def count_all() -> Funnel:
    """Count every stage of today's pipeline, in order."""
    params = read_params()
    funnel = Funnel()
    stages = {
        "seeds": _seeds(),
        "instructions": _paid("instructions", "tasks in the replies"),
        "filtered": _filtered(params),
        "responses": _paid("responses", "tasks"),
    }
    for stage in paths.telling(params):
        funnel.add(stage, stages[stage])
    funnel.add("checkpoint", _checkpoint(params))
    for test in params.tests:
        funnel.add(f"generations, {test}", _generations(test))
    for cell in params.cells():
        funnel.add(f"judgments, {', '.join(cell)}", _judgments(cell))
    _compare(funnel, [*paths.telling(params), "checkpoint"], _brought_in(params))
    return funnel


def _brought_in(params: Params) -> dict[str, Path]:
    """Give the files that stand in for a stage's own, by the stage that reads them."""
    files = {"filtered": paths.tasks(params), "checkpoint": paths.lessons(params)}
    own = {"filtered": params.sources.instructions, "checkpoint": params.sources.responses}
    return {stage: file for stage, file in files.items() if "/" in own[stage]}


def _seeds() -> Iterator[Count]:
    source = dependencies("seeds", "data/")[0]
    path = outputs("seeds", "metrics/")[-1]
    taken = read_json(path)["seeds"] if path.exists() else _rows(paths.rows("seeds"))
    total = sum(1 for _ in read_source(source))
    yield Count("seeds", "seed tasks", total, taken, path, _some({"not taken": total - taken}))


def _paid(stage: str, what: str) -> Iterator[Count]:
    """What came of a paid stage's calls."""
    (path,) = outputs("usage", "metrics/", paid=stage)
    if not path.exists():
        yield _from_rows(stage, what)
        return
    usage = read_json(path)
    rows, calls = usage["rows"], usage["calls"]
    ends = {_END.get(k, k): n for k, n in usage["finish_reasons"].items() if k != "stop"}
    yield Count(stage, _CALLS, calls, calls, path, {}, ends)
    total = rows["kept"] + rows["not_usable"]
    yield Count(stage, what, total, rows["kept"], path, rows["reasons"])


def _filtered(params: Params) -> Iterator[Count]:
    file = _brought_in(params).get("filtered")
    what = f"tasks of {file}" if file else "instructions"
    path = outputs("filtered", "metrics/")[0]
    if not path.exists():
        yield _from_rows("filtered", what)
        return
    told = read_json(path)
    yield Count("filtered", what, told["instructions"], told["kept"], path, _some(told["dropped"]))


def _from_rows(stage: str, what: str) -> Count:
    kept, lost = _rows(paths.rows(stage)), _reasons(paths.lost(stage))
    return Count(stage, what, kept + sum(lost.values()), kept, paths.rows(stage), lost)


def _checkpoint(params: Params) -> Iterator[Count]:
    path = outputs("curves", "metrics/")[0]
    if not path.exists():
        path = paths.checkpoint() / "training.json"
    told = _read(path)
    lost = {"held out": told["held_out"]}
    dropped = paths.lost("checkpoint")
    lost |= _reasons(dropped) if dropped.exists() else {"dropped": told["dropped"]}
    trained = told["examples"]
    total = trained + told["held_out"] + told["dropped"]
    file = _brought_in(params).get("checkpoint")
    what = f"rows of {file}" if file else "responses"
    marked = {"truncated": told["truncated"]}
    yield Count("checkpoint", what, total, trained, path, _some(lost), _some(marked))


def _generations(test: str) -> Iterator[Count]:
    tests = paths.test_set(test)
    path = outputs("answers", "metrics/", test=test)[0]
    if path.exists():
        told = read_json(path)
        answers, cut_off, empty = told["answers"], told["cut_off"] or 0, told["empty"]
    else:
        path = paths.generations(test)
        rows = [row for _, row in jsonl.read_objects(_here(path))]
        answers = len(rows)
        cut_off = sum(row["finish_reason"] == "length" for row in rows)
        empty = sum(not row["output"].strip() for row in rows)
    total = _rows(tests) if tests.exists() else answers
    marked = _some({"cut off": cut_off, "empty": empty})
    lost = _some({"not answered": total - answers})
    yield Count("generations", "test tasks", total, answers, path, lost, marked, test)


def _judgments(cell: tuple[str, str, str]) -> Iterator[Count]:
    path = paths.score(*cell)
    if path.exists():
        told = read_json(path)
        total, failures = 2 * told["n"] * told["samples"], told["failures"]
    else:
        path = paths.judgments(*cell)
        verdicts = [row["verdict"] for _, row in jsonl.read_objects(_here(path))]
        total, failures = len(verdicts), verdicts.count(None)
    lost, name = _some({"unreadable": failures}), ", ".join(cell)
    yield Count("judgments", "verdicts", total, total - failures, path, lost, {}, name)


def _compare(funnel: Funnel, order: Iterable[str], brought_in: Mapping[str, Path]) -> None:
    """Say where a stage did not get what the one before it kept: something is out of date."""
    got = {c.stage: c for c in funnel.counts if not c.cell and c.what != _CALLS}
    for before, after in pairwise(stage for stage in order if stage != "seeds"):
        if {before, after} <= got.keys() and got[before].kept != got[after].total:
            funnel.notes.append(
                f"{before} kept {got[before].kept:,}, {after} got {got[after].total:,}: {_STALE}"
            )
    for count in funnel.counts:
        path = brought_in.get(count.stage)
        if path and path.exists() and _rows(path) != count.total:
            funnel.notes.append(
                f"{path} has {_rows(path):,} rows and {count.stage} got {count.total:,}: {_STALE}"
            )


def _some(counts: Mapping[str, int]) -> dict[str, int]:
    return {reason: count for reason, count in counts.items() if count}


def _reasons(path: Path) -> dict[str, int]:
    return dict(Counter(row["reason"] for _, row in jsonl.read_objects(_here(path))))


def _rows(path: Path) -> int:
    return sum(1 for _ in jsonl.read_objects(_here(path)))


def _read(path: Path) -> Any:
    return read_json(_here(path))


def _here(path: Path) -> Path:
    if not path.exists():
        raise _NotHere(f"not counted, {path} is not here; `dvc pull` or `make repro` brings it")
    return path


def print_funnel(funnel: Funnel) -> None:
    """Print a line a count, and the notes."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD)
    table.pad_edge, table.collapse_padding = False, True  # or 80 columns do not hold it
    table.add_column("stage", no_wrap=True)
    for name in ("kept", "of"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("what", "gone", "of those kept"):
        table.add_column(name, overflow="fold")
    before = ""
    for count in funnel.counts:
        if before and count.stage != before:
            table.add_section()
        what = f"{count.what}, {count.cell}" if count.cell else count.what
        figures = f"{count.kept:,}", f"{count.total:,}", escape(what)
        stage = count.stage if count.stage != before else ""
        table.add_row(stage, *figures, *(escape(_list(c)) for c in (count.lost, count.marked)))
        before = count.stage
    console = Console(highlight=False)
    console.print(table)
    for note in funnel.notes:
        console.print(escape(note), soft_wrap=True)


def _list(counts: Mapping[str, int]) -> str:
    return "\n".join(f"{count:,} {reason}" for reason, count in counts.items())
