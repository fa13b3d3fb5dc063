"""`alpacare funnel`: how many rows each stage got and kept, and why it dropped the others.

The counts are those of the stages' metrics in Git, so that a clone without data has them; where a
metrics file is missing, the rows are counted.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from alpacare.core import jsonl
from alpacare.core.files import read_json
from alpacare.datasets.json_tables import json_rows
from alpacare.evaluation.score import Cell
from alpacare.lineage.funnel_lines import CALLS, Count, Funnel, MissingFile
from alpacare.lineage.mismatches import Line, find_all
from alpacare.lineage.origin import own_source
from alpacare.lineage.training_row import DROPPED
from alpacare.pipeline import paths
from alpacare.pipeline.dvc_yaml import dependencies, outputs
from alpacare.pipeline.params import Params, Run, SourcesSettings, read_params
from alpacare.pipeline.students import read_students
from alpacare.verification.accuracy import describe_accuracy
from alpacare.verification.outcome import WRONG


def count_all() -> Funnel:
    """Count every stage of the current pipeline, in order."""
    params = read_params()
    imported = _imported_files(params)
    funnel = Funnel()
    counts = {
        "seeds": _seeds(),
        "instructions": _llm_stage("instructions", "tasks in the replies"),
        "filtered": _filtered(imported.get("filtered")),
        "responses": _llm_stage("responses", "tasks"),
        "verified": _verified(params.sources),
    }
    stages = paths.stages_before_training(params)
    for stage in stages:
        funnel.add(stage, counts[stage])
    students = read_students(params)
    own = {name: own_source(settings, params) for name, settings in students.items()}
    runs = [
        Run(name, params.training_seeds[0]) for name in students
    ]  # all seeds have the same rows
    for run in runs:
        rows = _student_rows(run, own[run.student], params)
        funnel.add(f"student_rows, {run.student}", rows)
    for run in runs:
        funnel.add(f"checkpoint, {run.student}", _checkpoint(run))
    for test, run in product(params.tests, params.runs()):
        funnel.add(f"generations, {test}, {run}", _generations(test, run))
    for cell in params.cells():
        funnel.add(f"judgments, {cell}", _judgments(cell))
    rows_only = [count for count in funnel.counts if count.what != CALLS]
    funnel.notes += _verifiers(params)
    funnel.notes += find_all(rows_only, Line(stages, own, students, imported))
    return funnel


def _imported_files(params: Params) -> dict[str, Path]:
    """Give the imported files that replace a stage's output, by the stage that reads them."""
    files = {}
    if "/" in params.sources.instructions:
        files["filtered"] = paths.instructions(params)
    return files


def _seeds() -> Iterator[Count]:
    source = dependencies("seeds", "data/")[0]
    path = outputs("seeds", "metrics/")[-1]
    kept = read_json(path)["seeds"] if path.exists() else _rows(paths.rows("seeds"))
    total = sum(1 for _ in json_rows(source))
    yield Count("seeds", "seed tasks", total, kept, path, {"not taken": total - kept})


def _llm_stage(stage: str, what: str) -> Iterator[Count]:
    """Count the calls of a stage that asks an LLM, and the rows read from the replies."""
    (path,) = outputs("llm_usage", "metrics/", paid=stage)
    if not path.exists():
        yield _from_rows(stage, what)
        return
    usage = read_json(path)
    rows, calls = usage["rows"], usage["calls"]
    ends = usage["finish_reasons"].items()
    early = {"cut off" if end == "length" else end: n for end, n in ends if end != "stop"}
    yield Count(stage, CALLS, calls, calls, path, {}, early)
    total = rows["kept"] + rows["not_usable"]
    yield Count(stage, what, total, rows["kept"], path, rows["reasons"])


def _filtered(file: Path | None) -> Iterator[Count]:
    what = f"tasks of {file}" if file else "instructions"
    path = outputs("filtered", "metrics/")[0]
    if not path.exists():
        yield _from_rows("filtered", what)
        return
    metrics = read_json(path)
    total, kept = metrics["instructions"], metrics["kept"]
    yield Count("filtered", what, total, kept, path, metrics["dropped"])


def _verified(sources: SourcesSettings) -> Iterator[Count]:
    """Count the answers that a verifier has checked, and those that stay in doubt or marked."""
    if not sources.verifier:
        return
    path = outputs("verified_counts", "metrics/", verifier=sources.verifier)[0]
    told = read_json(_existing(path))
    found, dropping = told["answers"], told["action"] == "drop"
    gone = found["wrong"] if dropping else 0
    marked = {"found wrong": found["wrong"] - gone, "unreadable": found["unreadable"]}
    total = found["n"]
    what = (
        "answers" if sources.verified == "responses" else f"rows of data/{sources.verified}.jsonl"
    )
    yield Count("verified", what, total, total - gone, path, {WRONG: gone}, marked)


def _verifiers(params: Params) -> Iterator[str]:
    """Say how good each verifier is, by the errors that were planted for it."""
    for name in params.verifiers:
        path = outputs("verified_counts", "metrics/", verifier=name)[0]
        if path.exists() and (told := describe_accuracy(read_json(path))):
            yield f"verifier {name}: {told}"


def _from_rows(stage: str, what: str) -> Count:
    kept, lost = _rows(paths.rows(stage)), _reasons(paths.dropped(stage))
    return Count(stage, what, kept + sum(lost.values()), kept, paths.rows(stage), lost)


def _student_rows(run: Run, own: Path | None, params: Params) -> Iterator[Count]:
    """Count the rows that a student chose, and those of them that match a test task."""
    source = own or paths.training_rows(params)
    path = outputs("student_rows", "metrics/", student=run.student)[0]
    if path.exists():
        metrics = read_json(path)
        kept, dropped, marked = metrics["kept"], metrics["dropped"], metrics.get("marked", {})
    else:
        path = paths.student_rows(run.student)
        kept = _rows(path)
        dropped, marked = _reasons(paths.dropped("student_rows", student=run.student)), {}
    statistics = outputs("statistics", "metrics/")[0]
    if own or source.exists() or not statistics.exists():
        total = _rows(source)
    else:
        total = read_json(statistics)["rows"]
    what = f"rows of {source}" if "imported" in source.parts else "responses"
    lost = {"not chosen": max(0, total - kept - sum(dropped.values())), **dropped}
    yield Count("student_rows", what, total, kept, path, lost, marked, run.student)


def _training_counts(run: Run) -> Path:
    """Give the file in Git with a training's counts, or that of the checkpoint."""
    path = paths.training_curves(run)
    return path if path.exists() else paths.checkpoint(run) / "training.json"


def _checkpoint(run: Run) -> Iterator[Count]:
    path = _training_counts(run)
    metrics = read_json(_existing(path))
    lost = {"held out": metrics["held_out"]}
    dropped = paths.checkpoint(run) / DROPPED
    lost |= _reasons(dropped) if dropped.exists() else {"dropped": metrics["dropped"]}
    trained = metrics["examples"]
    total = trained + metrics["held_out"] + metrics["dropped"]
    marked = {"truncated": metrics["truncated"]}
    yield Count("checkpoint", "rows", total, trained, path, lost, marked, run.student)


def _generations(test: str, run: Run) -> Iterator[Count]:
    tests = paths.test_set(test)
    path = paths.answer_statistics(test, run)
    if path.exists():
        metrics = read_json(path)
        answers, cut_off, empty = metrics["answers"], metrics["cut_off"] or 0, metrics["empty"]
    else:
        path = paths.generations(test, run)
        rows = [row for _, row in jsonl.read_objects(_existing(path))]
        answers = len(rows)
        cut_off = sum(row["finish_reason"] == "length" for row in rows)
        empty = sum(not row["output"].strip() for row in rows)
    total = _rows(tests) if tests.exists() else answers
    marked = {"cut off": cut_off, "empty": empty}
    lost = {"not answered": total - answers}
    cell = f"{test}, {run}"
    yield Count("generations", "test tasks", total, answers, path, lost, marked, cell)


def _judgments(cell: Cell) -> Iterator[Count]:
    path = paths.score(cell)
    if path.exists():
        metrics = read_json(path)
        total, failures = 2 * metrics["n"] * metrics["samples"], metrics["failures"]
    else:
        path = paths.judgments(cell)
        verdicts = [row["verdict"] for _, row in jsonl.read_objects(_existing(path))]
        total, failures = len(verdicts), verdicts.count(None)
    lost = {"unreadable": failures}
    yield Count("judgments", "verdicts", total, total - failures, path, lost, {}, str(cell))


def _reasons(path: Path) -> dict[str, int]:
    return dict(Counter(row["reason"] for _, row in jsonl.read_objects(_existing(path))))


def _rows(path: Path) -> int:
    return sum(1 for _ in jsonl.read_objects(_existing(path)))


def _existing(path: Path) -> Path:
    if not path.exists():
        raise MissingFile(f"not counted, {path} is missing; run `alpacare pull` or `make repro`")
    return path
