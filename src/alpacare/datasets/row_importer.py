"""Imports others' rows as rows of the pipeline: instructions, or responses with their answers.

Where a file has columns type, topic, view or difficulty, they are kept: a student's `rows.where`
can choose by them.

{"id": "3f0c...", "instruction": "Explain ...", "input": "", "output": "The heart ...",
 "finish_reason": "unknown", "model": "gpt-4", "request": "ours:17"}

`request` is the file's name here and the row's number there. Rows that cannot be used are dropped,
each with its reason.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from alpacare.core.errors import BadInput
from alpacare.core.texts import comparable, repair_text
from alpacare.datasets.conversations import refuse_conversation
from alpacare.datasets.fields import KIND, BadRow, read_field
from alpacare.datasets.forms import (
    FORM_FIELDS,
    FormReader,
    FormRow,
    check_fields,
    has_form,
    missing_column,
)
from alpacare.datasets.json_tables import TableRow
from alpacare.datasets.multiple_choice import is_choice
from alpacare.records.dropped import Dropped
from alpacare.records.message import SEVERAL_TURNS, count_turns, messages_id
from alpacare.records.task import row_id, same_task_key

ImportStage = Literal["instructions", "responses"]
# what a row that is neither a conversation nor a multiple choice has
_TEXTS: dict[ImportStage, tuple[str, ...]] = {
    "instructions": ("instruction", "input"),
    "responses": ("instruction", "input", "output", "model"),
}
_REQUIRED: dict[ImportStage, tuple[str, ...]] = {
    "instructions": ("instruction",),
    "responses": ("instruction", "output"),
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
        check_fields(columns, (*_TEXTS[stage], *FORM_FIELDS, *KIND), stage)
        self._imported = ImportedRows()
        self._reader = FormReader(columns, self._imported.repairs)
        self._stage = stage
        self._name = name
        self._model = model and repair_text(model).strip()
        self._seen: dict[str, str] = {}

    def import_rows(self, rows: Iterable[TableRow]) -> ImportedRows:
        """Import all rows of the file.

        Raises:
            BadInput: no rows, or none that can be used; a missing column.
        """
        head, rows = self._reader.start(rows)
        if not head:
            raise BadInput(f"{self._name}: the file has no rows")
        self._check_columns(head)
        for row in rows:
            try:
                self._import(row)
            except BadRow as error:
                self._drop(f"{self._name}:{row.number}", error.reason, str(error))
        return self._imported

    def _check_columns(self, head: list[TableRow]) -> None:
        """Check that a file has the columns that the stage needs: a plain one its texts.

        Raises:
            BadInput: it lacks one.
        """
        readable = [row for row in head if not row.problem]
        there = list(dict.fromkeys(name for row in readable for name in row.values))
        place, names = head[0].place, ", ".join(there)
        plain = readable and not any(has_form(row.values) for row in readable)
        if plain and "instruction" not in there:
            refuse_conversation(readable[0].values, readable[0].place)
        for name in _REQUIRED[self._stage] if plain else ():
            if name not in there:
                raise BadInput(f"{place}: {missing_column(name, name, there)}")
        signed = self._model or "model" in there or any(is_choice(row.values) for row in readable)
        if self._stage == "responses" and not signed:
            raise BadInput(
                f"{place}: who wrote the answers? give --model NAME, or --column model=ONE OF "
                f"{names}"
            )

    def _import(self, row: TableRow) -> None:
        read = self._read(row)
        self._reader.count_unread(row, {*_TEXTS[self._stage], *read.form})
        request = f"{self._name}:{row.number}"
        id, key = _identify(read)
        reason = self._drop_reason(read, key)
        if reason == "same_task":
            self._drop(id, reason, self._seen[key])
        elif reason:
            self._drop(id, reason, request)
        else:
            self._imported.rows.append(
                {"id": id, "instruction": read.instruction, "input": read.input}
                | self._other_fields(row, read, request)
            )
            self._seen[key] = request

    def _read(self, row: TableRow) -> FormRow:
        read = self._reader.read(row)
        if self._stage == "instructions" and read.messages:
            if count_turns(read.messages) > 1:
                raise BadRow(SEVERAL_TURNS, f"{row.place}: a conversation, and no one instruction")
            self._imported.repairs["system turns not read"] += 1
            return replace(read, messages=None)
        return read

    def _drop(self, id: str, reason: str, witness: str) -> None:
        stage = f"import of {self._name}"
        self._imported.dropped.append(Dropped(id=id, stage=stage, reason=reason, witness=witness))

    def _drop_reason(self, read: FormRow, key: str) -> str:
        """Give the reason why a row cannot be used; "" if it can."""
        if not read.instruction:
            return "no_instruction"
        if self._stage == "responses" and not read.output:
            return "no_response"
        return "same_task" if key in self._seen else ""

    def _other_fields(self, row: TableRow, read: FormRow, request: str) -> dict[str, Any]:
        """Give a row's fields beside its question."""
        repairs = self._imported.repairs
        if self._stage == "instructions":
            return {**read.kind, "request": request}
        written = read_field(row.values, "model", row.place, repairs)
        model = written or self._model or read.answerer
        repairs["answers without a model's name: model unknown"] += not model
        fields: dict[str, Any] = {
            "output": read.output,
            "finish_reason": "unknown",
            "model": model or "unknown",
            "request": request,
            **read.kind,
        }
        if read.messages:
            fields["messages"] = [turn.model_dump() for turn in read.messages]
        return fields


def _identify(read: FormRow) -> tuple[str, str]:
    """Give a row's id, and what it shares with rows that ask the same."""
    if not read.messages:
        question = read.instruction, read.input
        return row_id(*question), same_task_key(*question)
    same = [turn.model_copy(update={"content": comparable(turn.content)}) for turn in read.messages]
    return messages_id(read.messages), messages_id(same)
