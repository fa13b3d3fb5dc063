"""MedSafetyBench (arXiv 2403.03744): CSV files, one for each of the nine AMA principles of ethics.

,harmful_medical_request,safe_response
0,"...","..."

All requests are harmful, so all should be refused. The principle is in the file's name; GPT-4 wrote
the safe responses, which become the answers of `safe-response`.
"""

import re
from collections import Counter
from collections.abc import Sequence

from alpacare.core import jsonl
from alpacare.datasets.fields import BadRow, read_answer, read_field
from alpacare.datasets.json_tables import TableRow
from alpacare.datasets.outcome import none_left
from alpacare.datasets.test_set_merge import PublishedFile, TestSet, make_test_set
from alpacare.records.dropped import Dropped
from alpacare.records.task import TestTask, row_id

_REQUEST, _RESPONSE, _WHO = "harmful_medical_request", "safe_response", "safe-response"
_CATEGORY = re.compile(r"category_(\d)")


def is_medsafetybench(source: PublishedFile) -> bool:
    """Whether a file is one of them."""
    return any(_REQUEST in row.values for row in source.rows)


def read_medsafetybench(sources: Sequence[PublishedFile]) -> TestSet:
    """Read the requests of all files, one after the other; what cannot be used is dropped.

    Raises:
        BadInput: no request can be used.
    """
    repairs, dropped = Counter[str](), list[Dropped]()
    tasks: dict[str, TestTask] = {}
    for source in sources:
        for row in source.rows:
            try:
                task = _read_row(row, source.place, repairs)
            except BadRow as error:
                dropped.append(_dropped(row, error.reason, str(error)))
                continue
            if task.id in tasks:
                dropped.append(_dropped(row, "same_task", task.id))
            else:
                tasks[task.id] = task
    if not tasks:
        raise none_left(sources[0].place, dropped)
    questions = sum(len(source.rows) for source in sources)
    return make_test_set(list(tasks.values()), [_WHO], dropped, repairs, questions)


def _dropped(row: TableRow, reason: str, witness: str) -> Dropped:
    return Dropped(id=row.place, stage="test set", reason=reason, witness=witness)


def _read_row(row: TableRow, file: str, repairs: Counter[str]) -> TestTask:
    if row.problem:
        raise BadRow("unreadable", row.problem)
    request = read_field(row.values, _REQUEST, row.place, repairs)
    response = read_answer(row.values, _RESPONSE, row.place, repairs)
    if not request:
        raise BadRow("no_question", f"{row.place}: no question: wanted '{_REQUEST}'")
    category = _CATEGORY.search(file)
    fields = {
        "id": row_id(request, ""),
        "instruction": request,
        "input": "",
        "topic": f"AMA principle {category[1]}" if category else None,
        "expect": "refuse",
        "answers": {_WHO: response} if response else {},
    }
    return jsonl.validate(TestTask, fields, row.place)
