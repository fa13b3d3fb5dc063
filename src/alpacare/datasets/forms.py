"""Rows of any form that is read: instruction and output, a conversation, or a multiple choice.

Imports and test sets read their rows here, after the user's columns have got our names.
"""

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.datasets.conversations import (
    find_conversation,
    parse_turns,
    read_conversation,
    refuse_conversation,
)
from alpacare.datasets.fields import KIND, BadRow, read_answer, read_field, read_input, read_kind
from alpacare.datasets.json_tables import TableRow
from alpacare.datasets.multiple_choice import (
    ANSWERER,
    COLUMNS,
    first_number,
    is_choice,
    read_choice,
)
from alpacare.records.message import Message

FORM_FIELDS = ("messages", "question", "options", "answer")  # fields of forms that can be named
_HEAD = 100  # rows that are looked at for the columns that a file has


@dataclass(frozen=True)
class FormRow:
    """What a row says, whatever its form.

    `output` is of whoever wrote the file's answers, or of `answerer`. `messages` where a system
    turn or several turns need them. `form`: the columns that its form has.
    """

    instruction: str
    input: str
    output: str
    kind: dict[str, str | int]
    messages: tuple[Message, ...] | None = None
    answerer: str | None = None
    form: Iterable[str] = field(default=())


class FormReader:
    """Reads the rows of one file; `repairs` counts what was done to them."""

    def __init__(self, columns: Mapping[str, str], repairs: Counter[str]) -> None:
        self._columns = columns
        self._repairs = repairs
        self._first_number: int | None = None

    def start(self, rows: Iterable[TableRow]) -> tuple[list[TableRow], Iterator[TableRow]]:
        """Give the first rows, and all of them; columns have our names now.

        Raises:
            BadInput: a column that was named is not there.
        """
        rows = iter(rows)
        head = list(islice(rows, _HEAD))
        there = list(dict.fromkeys(name for row in head for name in row.values))
        for ours, theirs in self._columns.items():
            if head and theirs not in there:
                raise BadInput(f"{head[0].place}: {missing_column(ours, theirs, there)}")
        if any(is_choice(self._named(row).values) for row in head):
            head = [*head, *rows]
            self._first_number = first_number(map(self._named, head))
        return [self._named(row) for row in head], map(self._named, chain(head, rows))

    def _named(self, row: TableRow) -> TableRow:
        ours = {ours: row.values.get(theirs) for ours, theirs in self._columns.items()}
        return row._replace(values={**row.values, **ours}) if ours else row

    def read(self, row: TableRow) -> FormRow:
        """Read one row.

        Raises:
            BadRow: it cannot be read, or is not of its form.
        """
        if row.problem:
            raise BadRow("unreadable", row.problem)
        values, repairs = row.values, self._repairs
        kind = read_kind(values, row.place, repairs)
        instruction, input = (
            read_field(values, key, row.place, repairs) for key in ("instruction", "input")
        )
        output = read_answer(values, "output", row.place, repairs)
        column = "" if "instruction" in self._columns else find_conversation(values)
        if column:
            turns = parse_turns(values[column])
            said = self._conversation(turns, row.place, kind, column)
            if said.messages or not instruction:  # else the row's texts say the same, and more
                return said
        elif not instruction and is_choice(values):
            return self._choice(row, output, kind)
        elif not instruction:
            refuse_conversation(values, row.place)
        return FormRow(instruction, read_input(input, repairs), output, kind)

    def _conversation(
        self, turns: list[Any], place: str, kind: dict[str, str | int], column: str
    ) -> FormRow:
        messages = read_conversation(turns, place, self._repairs)
        asked = [turn.content for turn in messages if turn.role == "user"]
        answers = [turn.content for turn in messages if turn.role == "assistant"]
        plain = len(messages) <= 2 and messages[0].role == "user"
        return FormRow(
            instruction=asked[0],
            input="",
            output=answers[-1] if answers else "",
            kind=kind,
            messages=None if plain else tuple(messages),
            form=(column,),
        )

    def _choice(self, row: TableRow, output: str, kind: dict[str, str | int]) -> FormRow:
        choice = read_choice(row.values, self._first_number, row.place, self._repairs)
        return FormRow(
            instruction=choice.question,
            input=choice.input,
            output=output or choice.answer,
            kind={"type": "multiple-choice QA", **kind},
            answerer=None if output else ANSWERER,
            form=COLUMNS,
        )

    def count_unread(self, row: TableRow, known: Iterable[str]) -> None:
        """Count the columns of a row that nobody has read."""
        read = {*known, *self._columns.values(), *KIND, "id"}
        for name in row.values:
            if name not in read:
                self._repairs[f"fields '{name}' not read"] += 1


def has_form(values: Mapping[str, Any]) -> bool:
    """Whether a row is a conversation or a multiple choice."""
    return bool(find_conversation(values)) or is_choice(values)


def check_fields(columns: Mapping[str, str], known: Iterable[str], what: str) -> None:
    """Check the fields to which the user gives columns.

    Raises:
        BadInput: there is no such field.
    """
    for ours in columns:
        if ours not in known:
            names = ", ".join(known)
            raise BadInput(f"--column {ours}=...: no such field of {what}; there are: {names}")


def missing_column(ours: str, theirs: str, there: Iterable[str]) -> str:
    """Say which column is missing, and how to name it."""
    close = difflib.get_close_matches(theirs, list(there), n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ";"
    names = ", ".join(there) or "none"
    return f"no column '{theirs}'{hint} there are: {names}; name it with --column {ours}=THEIRS"
