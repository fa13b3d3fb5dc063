"""`alpacare test-set`: published files become data/tests/NAME.jsonl, tracked by DVC, not by Git."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.texts import counted
from alpacare.datasets.catalogue import (
    CATALOGUE,
    PublishedDataset,
    check_name,
    find_published,
    split_answerer,
)
from alpacare.datasets.downloads import download
from alpacare.datasets.fields import KIND
from alpacare.datasets.forms import FORM_FIELDS, check_fields, missing_column
from alpacare.datasets.medsafetybench import is_medsafetybench, read_medsafetybench
from alpacare.datasets.outcome import describe_dropped, describe_repairs, write_dropped
from alpacare.datasets.rubric_rows import has_rubrics, read_rubric_rows
from alpacare.datasets.sources import Part, open_source
from alpacare.datasets.tables import read_table_rows
from alpacare.datasets.test_set_merge import PublishedFile, TestSet, make_test_set, merge
from alpacare.sharing.tracked import check_replaceable, dvc_file, dvc_track

FOLDER = Path("data/tests")
_SHOWN = 60  # characters of a question
WHOLE = Part()  # a dataset of one config and split


def import_test_set(
    name: str, files: Sequence[str], columns: Mapping[str, str] | None = None, part: Part = WHOLE
) -> Iterator[str]:
    """Make data/tests/NAME.jsonl of "[WHO=]FILE" each, or of the catalogue's files; return lines.

    `columns` gives their column for our field, in the files that have it; `part` is what is read of
    datasets.

    Raises:
        BadInput: an unknown name, a wrong file or download, a file in the way; nothing is written.
    """
    path = FOLDER / f"{check_name(name)}.jsonl"
    check_replaceable(path)
    known = find_published(name)
    if known and known.kind != "tests":
        raise BadInput(f"{name}: is no test set but {known.kind}; run: make fetch DATASET={name}")
    meta: dict[str, Any] = {"licence": known.licence} if known else {}
    if not (files or known):
        raise BadInput(f"no test set '{name}' in {CATALOGUE}; if it is yours, name its files")
    with ExitStack() as downloads:  # whose hashes are written down when the rows are in
        if known and not files:
            wanted = known.files.items()
            sources = [_download(file, sha256, downloads) for file, sha256 in wanted]
            meta = {"source": list(known.files), **meta}
        else:  # the source of the user's own files is not known, that of datasets is
            sources = _open(files, part, meta)
        test_set = _make_test_set(sources, columns or {})
        if known and test_set.questions != known.rows:
            raise BadInput(
                f"{sources[0].place}: {counted(test_set.questions, 'question')}, but {CATALOGUE} "
                f"says that {name} has {known.rows}; is it cut off? another set needs another name"
            )
        write_dropped(path, test_set.dropped)
        jsonl.write(path, test_set.tasks)
        dvc_track(path, meta)
    return _report(path, test_set, known)


def _make_test_set(sources: Sequence[PublishedFile], columns: Mapping[str, str]) -> TestSet:
    """Join the files; or read the one that has rubrics, or those of MedSafetyBench.

    Raises:
        BadInput: as both; rubrics, and other files or columns.
    """
    if sources and all(map(is_medsafetybench, sources)) and not columns:
        return read_medsafetybench(sources)
    if not any(has_rubrics(source.rows) for source in sources):
        return merge(_name_columns(sources, columns))
    if len(sources) > 1 or columns:
        raise BadInput(
            f"{sources[0].place}: rubrics come in one file, with `answers` in it, and with the "
            "columns' own names"
        )
    repairs = Counter[str]()
    tasks, dropped = read_rubric_rows(sources[0].rows, repairs)
    names = list(dict.fromkeys(name for task in tasks for name in task.answers))
    return make_test_set(tasks, names, dropped, repairs, len(sources[0].rows))


def _open(files: Sequence[str], part: Part, meta: dict[str, Any]) -> list[PublishedFile]:
    """Read files, and that part of datasets; add to `meta` what is known of each dataset.

    A value that all share is written once, as that of the catalogue is; others in order.
    """
    named = [split_answerer(file) for file in files]
    mixed = len({Path(address).is_file() for _, address in named}) > 1
    found, known = [], list[dict[str, Any]]()
    for answerer, address in named:
        source = open_source(address, WHOLE if mixed and Path(address).is_file() else part)
        if "split" in source.meta:
            known.append(source.meta)
        found.append(PublishedFile(address, list(source.rows), answerer))
    for key in dict.fromkeys(key for each in known for key in each):
        values = [each.get(key) for each in known]
        same = key != "source" and len({*values}) == 1
        meta.setdefault(key, values[0] if same else values)
    return found


def _name_columns(
    files: Sequence[PublishedFile], columns: Mapping[str, str]
) -> list[PublishedFile]:
    """Give each file those of the named columns that it has.

    Raises:
        BadInput: no such field of test sets, or a column that no file has.
    """
    check_fields(columns, ("instruction", "input", "output", *FORM_FIELDS, *KIND), "test sets")
    named = []
    there: dict[str, None] = {}
    for file in files:
        own = dict.fromkeys(name for row in file.rows for name in row.values)
        there |= own
        mine = {ours: theirs for ours, theirs in columns.items() if theirs in own}
        named.append(replace(file, columns=mine))
    for ours, theirs in columns.items():
        if theirs not in there:
            raise BadInput(f"{files[0].place}: {missing_column(ours, theirs, there)}")
    return named


def _download(name: str, sha256: str | None, downloads: ExitStack) -> PublishedFile:
    """Fetch one file of the catalogue; a proxy set in the environment is used."""
    answerer, address = split_answerer(name)
    file = downloads.enter_context(download(address, sha256))
    return PublishedFile(address, list(read_table_rows(file, address)), answerer)


def _report(path: Path, test_set: TestSet, known: PublishedDataset | None) -> Iterator[str]:
    answerers = ", ".join(test_set.answerers) or "nobody"
    yield f"{path}: {counted(len(test_set.tasks), 'task')}, answers by {answerers}"
    for answerer, lacks in test_set.missing.items():
        tasks = counted(len(test_set.tasks), "task")
        yield f"left out: all answers of {answerer}, who has none to {lacks:,} of {tasks};"
        yield "          students are compared with who answered every task; the first without:"
        yield f"          {test_set.unanswered[answerer][:_SHOWN]}"
    yield from describe_dropped(path, test_set.dropped)
    yield from describe_repairs(test_set.repairs)
    yield f"licence: {known.licence if known else 'not known here; ask whoever wrote it'}"
    graded = sum(bool(task.rubrics) for task in test_set.tasks)
    if graded:
        criteria = sum(len(task.rubrics) for task in test_set.tasks)
        yield f"rubrics: {criteria:,} criteria; who grades by them: judgments.rubric_judges"
        if without := len(test_set.tasks) - graded:
            yield f"without rubrics: {counted(without, 'task')}, which no judge by rubrics grades"
    yield f"next: in params.yaml, add {path.stem} to `tests`, the answerers you want to"
    yield "      `models.written`, and to `judgments.references` (students are compared with them)"
    yield "      or `judgments.contestants` (they compete); then commit"
    yield f"      {dvc_file(path)} and {path.parent}/.gitignore"
