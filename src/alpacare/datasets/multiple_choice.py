"""Multiple-choice questions as others publish them: MedQA, MedMCQA, MMLU, PubMedQA and the like.

{"question": "...", "options": {"A": "...", "B": "..."}, "answer_idx": "B", "answer": "..."}
{"question": "...", "opa": "...", "opb": "...", "opc": "...", "opd": "...", "cop": 4}
{"question": "...", "choices": ["...", "..."], "answer": 1}
{"question": "...", "choices": {"label": ["A", "B"], "text": ["...", "..."]}, "answerKey": "B"}
{"QUESTION": "...", "CONTEXTS": ["...", "..."], "final_decision": "maybe"}
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from alpacare.datasets.fields import BadRow, read_field
from alpacare.datasets.json_tables import TableRow

ANSWERER = "answer-key"  # who gave the right answers, in a test set
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_QUESTIONS = ("question", "QUESTION")
_OPTIONS = ("options", "choices")
_COLUMNS = (("opa", "opb", "opc", "opd", "ope"), tuple(_LETTERS[:10]))
_DECISION = "final_decision"  # PubMedQA's; its options are in no column
_CONTEXTS = ("CONTEXTS", "contexts", "context")
_KEYS = ("answer_idx", "answerKey", "answer_index", "cop")  # the right one's label or number
_ANSWERS = (*_KEYS, _DECISION, "answer")  # `answer` is one of these, or its text
COLUMNS = {*_QUESTIONS, *_OPTIONS, *_CONTEXTS, *_ANSWERS, *_COLUMNS[0], *_COLUMNS[1]}


@dataclass(frozen=True)
class Choice:
    """A question, its material and lettered options as one text, and the right option, if known."""

    question: str
    input: str
    answer: str


def is_choice(values: Mapping[str, Any]) -> bool:
    """Whether a row has a question with options."""
    return any(values.get(name) for name in _QUESTIONS) and bool(_options(values))


def first_number(rows: Iterable[TableRow]) -> int | None:
    """Say whether a file that gives right options as numbers counts them from 0 or from 1.

    None: its numbers do not show it, as no option is the 0th, nor the last if counted from 1.
    """
    shown = set()
    for row in rows:
        options = _options(row.values)
        last = len(options)
        told = [row.values.get(name) for name in _numbered(row.values, options)]
        numbers = [_number(value) for value in told] if last else []
        shown |= {0 if number == 0 else 1 for number in numbers if number in (0, last)}
    return shown.pop() if len(shown) == 1 else None


def _numbered(values: Mapping[str, Any], options: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the columns whose number may count options: `answer` may be the text of one."""
    texts = {str(text).strip() for text in options.values()}
    answer = values.get("answer")
    is_text = not isinstance(answer, int) and str(answer).strip() in texts
    return _KEYS if is_text else (*_KEYS, "answer")


def read_choice(
    values: Mapping[str, Any], first: int | None, place: str, repairs: Counter[str]
) -> Choice:
    """Read a row that `is_choice`; `first` is the number of its first option.

    Raises:
        BadRow: fewer than two options, a right answer that is none of them.
    """
    question = next(name for name in _QUESTIONS if values.get(name))
    given = _options(values)
    options = {label: read_field(given, label, place, repairs) for label in given}
    lines = {
        n: f"{letter}. {text}"
        for n, (letter, text) in enumerate(zip(_LETTERS, options.values(), strict=False))
        if text
    }
    if len(lines) < 2 or len(options) > len(_LETTERS):
        raise BadRow("no_choice", f"{place}: {len(options)} options; give two or more")
    right = _right(values, options, first, place)
    if right not in (None, *lines):
        raise BadRow("no_choice", f"{place}: the right answer is an option without a text")
    return Choice(
        question=read_field(values, question, place, repairs),
        input="\n\n".join([*_material(values, place, repairs), "\n".join(lines.values())]),
        answer="" if right is None else lines[right],
    )


def _options(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the options by their labels, in order."""
    for given in (values.get(name) for name in _OPTIONS):
        if isinstance(given, dict) and isinstance(given.get("text"), list):
            return dict(zip(given.get("label") or _LETTERS, given["text"], strict=False))
        if isinstance(given, dict):
            return given
        if isinstance(given, list) and given and isinstance(given[0], dict):
            return {str(each.get("key")): each.get("value") for each in given}
        if isinstance(given, list):
            return dict(zip(_LETTERS, given, strict=False))
    for names in _COLUMNS:
        if names[0] in values and names[1] in values:
            found = (values[name] for name in names if values.get(name) is not None)
            return dict(zip(_LETTERS, found, strict=False))
    return {"A": "yes", "B": "no", "C": "maybe"} if _DECISION in values else {}


def _material(values: Mapping[str, Any], place: str, repairs: Counter[str]) -> list[str]:
    given = next((values[name] for name in _CONTEXTS if values.get(name)), None)
    given = given.get("contexts") if isinstance(given, dict) else given
    parts = given if isinstance(given, list) else [given]
    found = [read_field({"context": part}, "context", place, repairs) for part in parts]
    return [text for text in (*found, read_field(values, "input", place, repairs)) if text]


def _right(
    values: Mapping[str, Any], options: Mapping[str, str], first: int | None, place: str
) -> int | None:
    """Give the place of the right option, which all columns that tell it must agree on."""
    possible = set(range(len(options)))
    told = [name for name in _ANSWERS if not _untold(values.get(name))]
    for name in told:
        possible &= _places(name, values[name], options, first, place)
    if told and len(possible) != 1:
        which = " and ".join(f"'{name}' {values[name]!r:.40}" for name in told)
        trouble = "may be several of the options" if possible else "is none of the options"
        raise BadRow("no_choice", f"{place}: the right answer, {which}, {trouble}")
    return possible.pop() if told else None


def _places(
    name: str, value: Any, options: Mapping[str, str], first: int | None, place: str
) -> set[int]:
    """Give the places of the options that one column may mean."""
    text = str(value).strip()
    labels = list(options) if name != _DECISION else []
    texts = list(options.values()) if name not in _KEYS else []
    found = set() if isinstance(value, int) else {n for n, each in enumerate(texts) if each == text}
    found |= {
        n for n, label in enumerate(labels) if str(label).lower() == text.strip("().").lower()
    }
    number = _number(value)
    if found or number is None:
        return found
    if first is None:
        raise BadRow(
            "no_choice",
            f"{place}: '{name}' is a number, and no row shows whether it counts from 0 or from 1",
        )
    return {number - first}


def _number(value: Any) -> int | None:
    """Read a whole number, which CSV has as text, and pandas as 2.0 beside empty cells."""
    text = str(value).removesuffix(".0")
    return int(text) if isinstance(value, int | float | str) and text.isdecimal() else None


def _untold(value: Any) -> bool:
    """Whether a row's right answer is kept back: nothing, NaN, or -1 as in MedMCQA's test rows."""
    return value in (None, "", -1, "-1") or value != value
