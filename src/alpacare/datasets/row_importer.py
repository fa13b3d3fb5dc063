"""Imports others' rows as rows of the pipeline: instructions, or responses with their answers.

Where a file of responses has columns type, topic, view or difficulty, they are kept: a student's
`rows.where` can choose by them.

{"id": "3f0c...", "instruction": "Explain ...", "input": "", "output": "The heart ...",
 "finish_reason": "unknown", "model": "gpt-4", "request": "ours:17"}

`request` is the file's name here and the row's number there. Rows that cannot be used are dropped,
each with its reason.
"""

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal

from alpacare.core.errors import BadInput
from alpacare.core.texts import repair_text
from alpacare.datasets.fields import normalise_kind, read_field
from alpacare.datasets.tables import TableRow
from alpacare.records.dropped import Dropped
from alpacare.records.label_normalisation import normalise_input
from alpacare.records.task import row_id, same_task_key

ImportStage = Literal["instructions", "responses"]
KIND = ("type", "topic", "view", "difficulty")
FIELDS: dict[ImportStage, tuple[str, ...]] = {
    "instructions": ("instruction", "input", *KIND),
    "responses": ("instruction", "input", "output", "model", *KIND),
}
_REQUIRED: dict[ImportStage, set[str]] = {
    "instructions": {"instruction"},
    "responses": {"instruction", "output"},
}


@dataclass
class ImportedRows:
    """The rows made of a file, those that were dropped, and counts of repairs."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    repairs: Counter[str] = field(default_factory=Counter)


class RowImporter:
    """Imports the rows of one file.

    `columns` gives their column for our field; `model` wrote the answers where no column says who.
    """

    def __init__(
        self, stage: ImportStage, name: str, columns: Mapping[str, str], model: str | None
    ):
        """Check the columns.

        Raises:
            BadInput: `columns` names a field that the stage does not have.
        """
        for ours in columns:
            if ours not in FIELDS[stage]:
                known = ", ".join(FIELDS[stage])
                raise BadInput(f"--column {ours}=...: no such field of {stage}; there are: {known}")
        self._imported = ImportedRows()
        self._stage = stage
        self._name = name
        self._columns = {ours: columns.get(ours, ours) for ours in FIELDS[stage]}
        self._read_columns = {"id", *self._columns.values()}  # ids are made anew
        self._required = _REQUIRED[stage] | set(columns)
        if stage == "responses" and model is None:
            self._required.add("model")
        self._model = model and repair_text(model).strip()
        self._seen: dict[str, str] = {}

    def import_rows(self, rows: Iterable[TableRow]) -> ImportedRows:
        """Import all rows of the file.

        Raises:
            BadInput: no rows, a missing column, a value that is not text.
        """
        rows = iter(rows)
        first = next(rows, None)
        if first is None:
            raise BadInput(f"{self._name}: the file has no rows")
        for ours, theirs in self._columns.items():
            if ours in self._required and theirs not in first.values:
                raise BadInput(f"{first.place}: {_advice(ours, theirs, first)}")
        for row in chain([first], rows):
            self._import(row)
        return self._imported

    def _import(self, row: TableRow) -> None:
        repairs = self._imported.repairs
        texts = {ours: self._text(row, ours, theirs) for ours, theirs in self._columns.items()}
        input = normalise_input(texts["input"])
        if input != texts["input"]:
            repairs[f'inputs "{texts["input"][:20]}" read as none'] += 1
        for key in row.values:
            if key not in self._read_columns:
                repairs[f"fields '{key}' not read"] += 1
        id = row_id(texts["instruction"], input)
        request = f"{self._name}:{row.number}"
        key = same_task_key(texts["instruction"], input)
        if reason := self._drop_reason(texts, key):
            witness = self._seen.get(key, request) if reason == "same_task" else request
            self._imported.dropped.append(
                Dropped(id=id, stage=f"import of {self._name}", reason=reason, witness=witness)
            )
            return
        self._seen[key] = request
        question = {"id": id, "instruction": texts["instruction"], "input": input}
        self._imported.rows.append(question | self._other_fields(texts, request))

    def _text(self, row: TableRow, ours: str, theirs: str) -> str:
        value = row.values.get(theirs)
        if ours == "difficulty" and isinstance(value, int | float):
            return str(value)
        if self._stage == "responses" and ours in KIND and not isinstance(value, str | None):
            self._imported.repairs[f"fields '{theirs}' not read"] += 1  # it means something else
            return ""
        return read_field(row.values, theirs, row.place, self._imported.repairs)

    def _drop_reason(self, texts: Mapping[str, str], key: str) -> str:
        """Give the reason why a row cannot be used; "" if it can."""
        if not texts["instruction"]:
            return "no_instruction"
        if self._stage == "responses" and not texts["output"]:
            return "no_response"
        return "same_task" if key in self._seen else ""

    def _other_fields(self, texts: Mapping[str, str], request: str) -> dict[str, Any]:
        """Give a row's fields beside its question."""
        if self._stage == "instructions":
            return normalise_kind(texts, self._imported.repairs) | {"request": request}
        model = texts["model"] or self._model
        self._imported.repairs["answers without a model's name: model unknown"] += not model
        return {
            "output": texts["output"],
            "finish_reason": "unknown",
            "model": model or "unknown",
            "request": request,
            **normalise_kind(texts, self._imported.repairs),
        }


def _advice(ours: str, theirs: str, first: TableRow) -> str:
    """Say which column is missing, and how to name it."""
    there = ", ".join(first.values) or "none"
    if ours == "model":
        return f"who wrote the answers? give --model NAME, or --column model=ONE OF {there}"
    close = difflib.get_close_matches(theirs, list(first.values), n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ";"
    return f"no column '{theirs}'{hint} there are: {there}; name it with --column {ours}=THEIRS"
