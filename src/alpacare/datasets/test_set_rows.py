"""One row of a published test set, in any of its forms; each repair is counted.

{"id": 0, "instruction": "...", "difficulty": "3", "gpt-4-answer": "...", "claude-2": " ..."}
{"instruction": "", "input": "...", "output": "..."}
{"prompt": "Human: ... Assistant:", "response": " ..."}
{"dataset": "...", "instruction": "...", "output": "...", "generator": "text_davinci_003"}
{"id": 0, "instruction": "...", "raw_output": "...", "response": "..."}
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.core.texts import comparable
from alpacare.datasets.fields import BadRow, read_answer, read_expected, read_field
from alpacare.datasets.forms import FormReader
from alpacare.datasets.json_tables import TableRow
from alpacare.records.message import SEVERAL_TURNS, count_turns
from alpacare.records.task import row_id

_SUFFIX = "-answer"
_NO_SUFFIX = "claude-2"  # the one answer in MedInstruct-test without the suffix
_ANSWERS = ("output", "response", "generator", "answers")
_IGNORED = ("dataset", "raw_output")  # raw_output is prompt and response
_KNOWN = ("instruction", "input", "prompt", "expect", *_ANSWERS, *_IGNORED, _NO_SUFFIX)


@dataclass(frozen=True)
class PublishedRow:
    """A question, or the prompt that holds it; answers by answerer; what kind of task it is."""

    place: str
    instruction: str
    input: str
    prompt: str
    answers: dict[str, str]
    kind: dict[str, str | int]

    @property
    def text(self) -> str:
        """The question, else the prompt, to compare: single blanks for white space, NFC."""
        words = f"{self.instruction} {self.input}".split() or self.prompt.split()
        return comparable(" ".join(words))


def read_row(
    row: TableRow, reader: FormReader, answerer: str | None, repairs: Counter[str]
) -> PublishedRow:
    """Read a row; `answerer` gave its `response`, or else its `output`.

    Raises:
        BadRow: it cannot be read, or has no question and no prompt.
        BadInput: an answer without a name, two of one name.
    """
    read = reader.read(row)
    prompt = read_field(row.values, "prompt", row.place, repairs)
    if not (read.instruction or read.input or prompt):
        raise BadRow(
            "no_question",
            f"{row.place}: no question: wanted 'instruction' (and 'input'), or 'prompt'; the row "
            f"has: {', '.join(row.values) or 'nothing'}",
        )
    if count_turns(read.messages) > 1:
        raise BadRow(SEVERAL_TURNS, f"{row.place}: a conversation of several turns")
    repairs["system turns not read"] += read.messages is not None
    anew = "id" in row.values and row.values["id"] != row_id(read.instruction, read.input)
    repairs["ids made anew"] += anew
    signed = [name for name in row.values if name.endswith(_SUFFIX)]
    reader.count_unread(row, {*_KNOWN, *signed, *read.form})
    answers = _answers(row, answerer, repairs)
    if read.form and "output" not in row.values and read.output:
        answers[read.answerer or _whose(answerer, "answer", row.place)] = read.output
    kind = read.kind | read_expected(row.values, row.place)
    return PublishedRow(row.place, read.instruction, read.input, prompt, answers, kind)


def _answers(row: TableRow, answerer: str | None, repairs: Counter[str]) -> dict[str, str]:
    answers: dict[str, str] = {}
    for found, holder, key in _find_answers(row.values, row.place, answerer):
        name, whole = _whose(found, key, row.place), holder is row.values and key == "output"
        slug = name if name == answerer else _slug(name, row.place)
        if slug in answers:
            raise BadInput(f"{row.place}: two answers by '{slug}'; rename or delete one")
        if slug != key and key not in _ANSWERS:
            repairs[f"fields '{key}' read as {slug}"] += 1
        # `output` was read with the row, and its repairs counted
        answers[slug] = read_answer(holder, key, row.place, Counter() if whole else repairs)
    return answers


def _whose(name: str | None, key: str, place: str) -> str:
    if name is None:
        raise BadInput(f"{place}: whose is this '{key}'? name them, as in gpt-4=FILE")
    return name


def _find_answers(
    value: Mapping[str, Any], place: str, answerer: str | None
) -> Iterator[tuple[str | None, Mapping[str, Any], str]]:
    """Yield the answerer of each answer, and the object and key that hold it.

    A row with `response` and `output` is a model's answer beside that of a reference, which
    `generator` names.
    """
    for key in value:
        if key.endswith(_SUFFIX) or key == _NO_SUFFIX:
            yield key.removesuffix(_SUFFIX), value, key
    answers = value.get("answers") or {}
    if not isinstance(answers, dict):
        raise BadInput(f"{place}: 'answers' must be an object: whose, and what")
    for name in answers:
        yield name, answers, name
    generator = read_field(value, "generator", place, Counter()) or None
    if "response" in value:
        yield answerer, value, "response"
    if "output" in value:
        yield (generator if "response" in value else answerer or generator), value, "output"


def _slug(name: str, place: str) -> str:
    """Make a name for params.yaml: text_davinci_003 becomes text-davinci-003."""
    slug = re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.")
    if not slug:
        raise BadInput(f"{place}: '{name}' is not a name for an answerer; use letters or digits")
    return slug
