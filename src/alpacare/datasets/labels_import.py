"""`alpacare labels`: answers that people have labelled become data/labels/NAME.jsonl, in DVC.

In the form of HealthBench's meta-evaluation, a row for each criterion of each answer:
{"prompt": [{"role": "user", "content": "..."}], "completion": "...", "rubric": "...",
 "binary_labels": [true, false], "category": "cluster:hedging_..."}
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.texts import counted, shows_nothing
from alpacare.datasets.catalogue import CATALOGUE, check_name, find_published
from alpacare.datasets.downloads import download
from alpacare.datasets.fields import BadRow, read_answer, read_field
from alpacare.datasets.json_tables import TableRow
from alpacare.datasets.outcome import (
    describe_dropped,
    describe_repairs,
    none_left,
    write_dropped,
)
from alpacare.datasets.rubric_rows import question_of, read_turns
from alpacare.datasets.sources import Part, open_source
from alpacare.datasets.tables import read_table_rows
from alpacare.records.dropped import Dropped
from alpacare.records.labelled import LabelledAnswer, LabelledCriterion, labelled_id
from alpacare.sharing.tracked import check_replaceable, dvc_file, dvc_track

FOLDER = Path("data/labels")


def import_labels(name: str, file: str | None) -> Iterator[str]:
    """Make data/labels/NAME.jsonl of a file, or of the catalogue's; return lines to print.

    Raises:
        BadInput: an unknown name, a wrong file or download, a file in the way; nothing is written.
    """
    path = FOLDER / f"{check_name(name)}.jsonl"
    check_replaceable(path)
    known = find_published(name)
    if file:
        source = open_source(file, Part())
        rows, meta = list(source.rows), source.meta
    elif known and known.kind == "labels":
        ((address, sha256),) = known.files.items()
        with download(address, sha256) as came:
            rows = list(read_table_rows(came, address))
            if len(rows) != known.rows:
                raise BadInput(
                    f"{address}: {counted(len(rows), 'row')}, but {CATALOGUE} says that {name} has "
                    f"{known.rows}; is it cut off?"
                )
        meta = {"source": address, "licence": known.licence}
    else:
        raise BadInput(f"no labels '{name}' in {CATALOGUE}; if they are yours, name their file")
    repairs = Counter[str]()
    answers, dropped = read_label_rows(rows, repairs)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_dropped(path, dropped)
    jsonl.write(path, answers)
    dvc_track(path, meta)
    yield from _report(path, answers, dropped, repairs)


def read_label_rows(
    rows: Sequence[TableRow], repairs: Counter[str]
) -> tuple[list[LabelledAnswer], list[Dropped]]:
    """Gather the criteria of each answer, in the order of the rows.

    A row that cannot be used is dropped, and so is a criterion that an answer has already.

    Raises:
        BadInput: no row can be used.
    """
    found: dict[str, dict[str, Any]] = {}
    dropped: list[Dropped] = []
    for row in rows:
        try:
            question, output, criterion = _read_row(row, repairs)
            id = labelled_id(question["id"], output)
            answer = found.setdefault(id, {**question, "id": id, "output": output, "criteria": {}})
            words = " ".join(criterion.criterion.split())  # as `check_rubrics` compares them
            if words in answer["criteria"]:
                raise BadRow(
                    "same_criterion", f"{row.place}: this answer has the criterion already"
                )
            answer["criteria"][words] = criterion
        except BadRow as error:
            place, witness = row.place, str(error)
            dropped.append(Dropped(id=place, stage="labels", reason=error.reason, witness=witness))
    if not found:
        raise none_left(rows[0].place if rows else "no rows", dropped)
    made = [{**each, "criteria": list(each["criteria"].values())} for each in found.values()]
    return [LabelledAnswer(**each) for each in made], dropped


def _read_row(
    row: TableRow, repairs: Counter[str]
) -> tuple[dict[str, Any], str, LabelledCriterion]:
    if row.problem:
        raise BadRow("unreadable", row.problem)
    values, place = row.values, row.place
    question = question_of(read_turns(values.get("prompt"), place, repairs))
    labels = values.get("binary_labels")
    if not isinstance(labels, list) or not labels or not all(isinstance(x, bool) for x in labels):
        raise BadRow("no_labels", f"{place}: 'binary_labels' must be a list of true and false")
    rubric = read_field(values, "rubric", place, repairs)
    if shows_nothing(rubric):
        raise BadRow("no_criterion", f"{place}: no criterion: 'rubric' is missing or empty")
    criterion = LabelledCriterion(
        criterion=rubric, category=read_field(values, "category", place, repairs), labels=labels
    )
    return question, read_answer(values, "completion", place, repairs), criterion


def _report(
    path: Path,
    answers: Sequence[LabelledAnswer],
    dropped: Sequence[Dropped],
    repairs: Counter[str],
) -> Iterator[str]:
    criteria = [each for answer in answers for each in answer.criteria]
    labels = sum(len(each.labels) for each in criteria)
    found = f"{counted(len(answers), 'answer')}, {counted(len(criteria), 'criterion', 'criteria')}"
    yield f"{path}: {found}, {counted(labels, 'label')}"
    yield from describe_dropped(path, dropped)
    yield from describe_repairs(repairs)
    yield f"next: in params.yaml, add {path.stem} to `labels`, and a judge to"
    yield "      `judgments.rubric_judges`; `make repro`, then `make agreement`; commit"
    yield f"      params.yaml and {dvc_file(path)}"
