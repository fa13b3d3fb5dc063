"""Others' rows -> rows of ours: instructions, or responses with their answers.

{"id": "3f0c...", "instruction": "Explain ...", "input": "", "output": "The heart ...",
 "finish_reason": "unknown", "model": "gpt-4", "request": "ours:17"}

`request` is the file's name here and the row's number there. What cannot be used is left out, each
row with its reason.
"""

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal

from alpacare.core.errors import BadInput
from alpacare.datasets.tables import TableRow
from alpacare.records.dropped import Dropped
from alpacare.records.labels import canonical_difficulty, canonical_type, without_placeholder
from alpacare.records.task import row_id

Kind = Literal["instructions", "responses"]
FIELDS: dict[Kind, tuple[str, ...]] = {
    "instructions": ("instruction", "input", "type", "topic", "view", "difficulty"),
    "responses": ("instruction", "input", "output", "model"),
}
_NEEDED: dict[Kind, tuple[str, ...]] = {
    "instructions": ("instruction",),
    "responses": ("instruction", "output"),
}


@dataclass
class Imported:
    """What became of a file's rows; `mended` counts what was put right."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    lost: list[Dropped] = field(default_factory=list)
    mended: Counter[str] = field(default_factory=Counter)


class Importer:
    """Takes rows one by one.

    `columns` names theirs for ours; `model` wrote the answers where no column says who did.
    """

    def __init__(self, kind: Kind, name: str, columns: Mapping[str, str], model: str | None):
        """Begin.

        Raises:
            BadInput: `columns` names a field that is none of ours.
        """
        for ours in columns:
            if ours not in FIELDS[kind]:
                known = ", ".join(FIELDS[kind])
                raise BadInput(f"--column {ours}=...: no such field of {kind}; there are: {known}")
        self.made = Imported()
        self._kind = kind
        self._name = name
        self._columns = {ours: columns.get(ours, ours) for ours in FIELDS[kind]}
        self._read = {"id", *self._columns.values()}  # ids are made anew
        self._asked_for = set(columns)
        self._model = model
        self._seen: dict[str, str] = {}

    def take(self, rows: Iterable[TableRow]) -> Imported:
        """Take all rows of a file.

        Raises:
            BadInput: no rows, a column that is not there, a value that is no text.
        """
        rows = iter(rows)
        first = next(rows, None)
        if first is None:
            raise BadInput(f"{self._name}: the file has no rows")
        self._check_columns(first)
        for row in chain([first], rows):
            self._take(row)
        return self.made

    def _check_columns(self, first: TableRow) -> None:
        needed = {*_NEEDED[self._kind], *self._asked_for}
        if self._kind == "responses" and self._model is None:
            needed.add("model")
        for ours in FIELDS[self._kind]:
            theirs = self._columns[ours]
            if ours in needed and theirs not in first.values:
                raise BadInput(f"{first.place}: {self._advise(ours, theirs, first)}")

    def _advise(self, ours: str, theirs: str, first: TableRow) -> str:
        there = ", ".join(first.values) or "none"
        if ours == "model":
            return f"who wrote the answers? give --model NAME, or --column model=ONE OF {there}"
        close = difflib.get_close_matches(theirs, list(first.values), n=1)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        return f"no column '{theirs}'{hint} there are: {there}; name it with --column {ours}=THEIRS"

    def _take(self, row: TableRow) -> None:
        texts = {ours: self._text(row, theirs) for ours, theirs in self._columns.items()}
        input = without_placeholder(texts["input"])
        if input != texts["input"]:
            self.made.mended[f'inputs "{texts["input"][:20]}" read as none'] += 1
        for key in row.values:
            if key not in self._read:
                self.made.mended[f"fields '{key}' not read"] += 1
        id = row_id(texts["instruction"], input)
        request = f"{self._name}:{row.number}"
        if reason := self._fault(texts, id):
            witness = self._seen.get(id, request) if reason == "same_task" else request
            self.made.lost.append(
                Dropped(id=id, stage=f"import of {self._name}", reason=reason, witness=witness)
            )
            return
        self._seen[id] = request
        own = {"id": id, "instruction": texts["instruction"], "input": input}
        self.made.rows.append(own | self._rest(texts, request))

    def _text(self, row: TableRow, theirs: str) -> str:
        """Give a text without the blanks around it; a missing one is empty."""
        value = row.values.get(theirs)
        if value is None:
            return ""
        if theirs == self._columns.get("difficulty") and isinstance(value, int | float):
            return str(value)
        if not isinstance(value, str):
            raise BadInput(f"{row.place}: '{theirs}' must be text, found {type(value).__name__}")
        self.made.mended["texts freed of blanks around them"] += value != value.strip()
        return value.strip()

    def _fault(self, texts: Mapping[str, str], id: str) -> str:
        """Name what makes a row useless; "" if nothing does."""
        if not texts["instruction"]:
            return "no_instruction"
        if self._kind == "responses" and not texts["output"]:
            return "no_response"
        return "same_task" if id in self._seen else ""

    def _rest(self, texts: Mapping[str, str], request: str) -> dict[str, Any]:
        """Give what a row of this kind has beside its question."""
        if self._kind == "responses":
            return {
                "output": texts["output"],
                "finish_reason": "unknown",
                "model": self._writer(texts),
                "request": request,
            }
        kind = {
            "type": canonical_type(texts["type"]),
            "topic": texts["topic"],
            "view": texts["view"],
            "difficulty": canonical_difficulty(texts["difficulty"]),
        }
        for key in ("type", "difficulty"):
            self.made.mended[f"{key} unknown, left open"] += bool(texts[key]) and not kind[key]
        return {key: known for key, known in kind.items() if known} | {"request": request}

    def _writer(self, texts: Mapping[str, str]) -> str:
        writer = texts["model"] or self._model
        self.made.mended["answers that nobody signs: model unknown"] += not writer
        return writer or "unknown"
