"""Items of a benchmark, read from published files or the user's own: options, or a text as answer.

Options come in the forms of `multiple_choice`; a text as {"question": "...", "answer": "..."}, with
`context` if need be, or as instruction, input and output.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.texts import comparable, counted
from alpacare.datasets.fields import BadRow, read_field
from alpacare.datasets.forms import FormReader
from alpacare.datasets.json_tables import TableRow
from alpacare.datasets.multiple_choice import COLUMNS, OPTIONS, first_number, is_choice, read_choice
from alpacare.records.benchmark_item import LETTERS, BenchmarkItem, item_id
from alpacare.records.dropped import Dropped

FIELDS = ("question", "options", "answer", "context", "subject")  # whose columns can be named
_SUBJECTS = ("subject", "subject_name", "category", "meta_info")
_IDS = ("pubid", "id")
_TEXT_COLUMNS = ("instruction", "output", "input")


@dataclass(frozen=True)
class BenchmarkFile:
    """A file's rows, its address, and the subject of its items, if they do not say."""

    place: str
    rows: Sequence[TableRow]
    subject: str | None = None


@dataclass
class BenchmarkItems:
    """Items, the rows that are none with their reasons, and counts of repairs.

    `left_out`: how many rows do not belong to the benchmark; `ids`: those of the rows that do.
    """

    items: list[BenchmarkItem] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    repairs: Counter[str] = field(default_factory=Counter)
    left_out: int = 0
    ids: set[str] = field(default_factory=set)


def read_items(
    files: Sequence[BenchmarkFile],
    columns: Mapping[str, str],
    strict: bool,
    only: Collection[str] | None = None,
    without_subjects: Collection[str] = (),
) -> BenchmarkItems:
    """Read the items of all files, in order.

    `columns` gives their column for our field. `only`: ids of the rows that belong to it, null for
    all. Rows that are no items are dropped; if `strict`, there must be none, nor wrong options that
    are the same.

    Raises:
        BadInput: a column that is not there, or what `strict` refuses: the first row, and how many.
    """
    read = BenchmarkItems()
    drafts = []
    for file in files:
        reader = FormReader(columns, read.repairs)
        rows = list(reader.start(file.rows)[1])
        own = [row for row in rows if only is None or _id(row) in only]
        read.ids |= {_id(row) for row in own}
        for row, draft in _drafts(own, first_number(rows), read):
            draft.setdefault("subject", file.subject or _subject(row, read.repairs))
            drafts.append((row, draft))
            reader.count_unread(row, {*COLUMNS, *_TEXT_COLUMNS, *_SUBJECTS, *_IDS})
    mine = [(row, draft) for row, draft in drafts if draft["subject"] not in without_subjects]
    read.left_out = sum(len(file.rows) for file in files) - len(mine) - len(read.dropped)
    _add_items(mine, strict, read)
    if strict and read.dropped:
        more = len(read.dropped) - 1
        others = f"; and {counted(more, 'more row')} cannot be used" if more else ""
        raise BadInput(f"{read.dropped[0].witness}{others}; nothing was written")
    return read


def _drafts(
    rows: Sequence[TableRow], first: int | None, read: BenchmarkItems
) -> Iterator[tuple[TableRow, dict[str, Any]]]:
    """Yield rows with question, context, choices and answer; those without go to `dropped`."""
    of_choices = any(is_choice(row.values) for row in rows)
    for row in rows:
        try:
            if row.problem:
                raise BadRow("unreadable", row.problem)
            read_one = _of_choices if of_choices else _of_text
            yield row, read_one(row, first, read.repairs)
        except BadRow as error:
            _drop(row, error, read)


def _of_choices(row: TableRow, first: int | None, repairs: Counter[str]) -> dict[str, Any]:
    if not is_choice(row.values):
        raise BadRow("no_choice", f"{row.place}: no question with options, as other rows have")
    choice = read_choice(row.values, first, row.place, repairs)
    if choice.right is None:
        raise BadRow("no_answer", f"{row.place}: no column says which option is right")
    last = max(n for n, text in enumerate(choice.options) if text)
    options = choice.options[: last + 1]
    if "" in options:
        empty = LETTERS[options.index("")]
        raise BadRow("no_choice", f"{row.place}: option {empty} is empty; delete it or fill it in")
    return {
        "question": choice.question,
        "context": "\n\n".join(choice.context) or None,
        "choices": list(options),
        "answer": choice.right,
    }


def _of_text(row: TableRow, _: int | None, repairs: Counter[str]) -> dict[str, Any]:
    def read(*names: str) -> str:
        return next(
            filter(None, (read_field(row.values, n, row.place, repairs) for n in names)), ""
        )

    if options := next((name for name in OPTIONS if row.values.get(name)), ""):
        raise BadRow("no_choice", f"{row.place}: '{options}' is no list of options; make it one")
    question, answer = read("question", "instruction"), read("answer", "output")
    if not question:
        there = ", ".join(row.values) or "nothing"
        raise BadRow("no_question", f"{row.place}: no 'question'; the row has: {there}")
    if not answer:
        raise BadRow("no_answer", f"{row.place}: no 'answer': options, or the text of a good one")
    return {"question": question, "context": read("context", "input") or None, "answer": answer}


def _subject(row: TableRow, repairs: Counter[str]) -> str | None:
    name = next((name for name in _SUBJECTS if isinstance(row.values.get(name), str)), "")
    return read_field(row.values, name, row.place, repairs) or None


def _id(row: TableRow) -> str:
    return row.key or str(next((row.values[name] for name in _IDS if name in row.values), ""))


def _add_items(
    drafts: Sequence[tuple[TableRow, dict[str, Any]]], strict: bool, read: BenchmarkItems
) -> None:
    about = any(draft["context"] for _, draft in drafts)
    places: dict[str, str] = {}
    for row, draft in drafts:
        try:
            if about and not draft["context"]:
                raise BadRow("no_context", f"{row.place}: no context, which other rows have")
            _check_wrong_options(row.place, draft, strict, read.repairs)
            item = _item(row.place, draft)
            if item.id in places:
                reason = f"{row.place}: the same item as {places[item.id]}; keep one of them"
                raise BadRow("same_item", reason)
            places[item.id] = row.place
            read.items.append(item)
        except BadRow as error:
            _drop(row, error, read)


def _check_wrong_options(
    place: str, draft: Mapping[str, Any], strict: bool, repairs: Counter[str]
) -> None:
    """Look for wrong options that are the same: the score does not depend on them."""
    texts = [comparable(text) for text in draft.get("choices", ())]
    same = [
        (LETTERS[one], LETTERS[two])
        for one, two in combinations(range(len(texts)), 2)
        if texts[one] == texts[two] and draft["answer"] not in (one, two)
    ]
    if same and strict:
        raise BadRow("same_options", f"{place}: options {' and '.join(same[0])} are the same text")
    repairs["items with wrong options that are the same, which stay"] += bool(same)


def _item(place: str, draft: Mapping[str, Any]) -> BenchmarkItem:
    id = item_id(draft["question"], draft["context"], draft.get("choices", ()))
    try:
        return jsonl.validate(BenchmarkItem, {"id": id, **draft}, place)
    except BadInput as error:
        raise BadRow("no_choice", str(error)) from error


def _drop(row: TableRow, error: BadRow, read: BenchmarkItems) -> None:
    read.dropped.append(
        Dropped(id=row.place, stage="benchmark", reason=error.reason, witness=str(error))
    )
