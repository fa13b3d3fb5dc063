"""Multiple-choice questions as others publish them: MedQA, MedMCQA, MMLU, PubMedQA and the like.

{"question": "...", "options": {"A": "...", "B": "..."}, "answer_idx": "B", "answer": "..."}
{"question": "...", "opa": "...", "opb": "...", "opc": "...", "opd": "...", "cop": 4}
{"question": "...", "choices": ["...", "..."], "answer": 1}
{"question": "...", "choices": {"label": ["A", "B"], "text": ["...", "..."]}, "answerKey": "B"}
{"question": "...", "choices": [{"label": "A", "text": "..."}, ...], "answerKey": "B"}
{"QUESTION": "...", "CONTEXTS": ["...", "..."], "final_decision": "maybe"}
and three that are put into one of these first, by `_usual_form`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from alpacare.core.texts import counted
from alpacare.datasets.fields import BadRow, read_field
from alpacare.datasets.json_tables import TableRow, are_objects

ANSWERER = "answer-key"  # who gave the right answers, in a test set
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_QUESTIONS = ("question", "QUESTION")
OPTIONS = ("options", "choices")
_LABELS, _TEXTS = ("label", "key", "aid"), ("text", "value", "atext")  # of an option in an object
_COLUMNS = (
    ("opa", "opb", "opc", "opd", "ope"),
    ("op1", "op2", "op3", "op4", "op5"),
    tuple(_LETTERS[:10]),
)
_DECISION = "final_decision"  # PubMedQA's; its options are in no column
_CONTEXTS = ("CONTEXTS", "contexts", "context")
_KEYS = ("answer_idx", "answerKey", "answer_index", "cop")  # the right one's label or number
_ANSWERS = (*_KEYS, _DECISION, "answer")  # `answer` is one of these, or its text
_OTHER_FORMS = {"qtext", "answers", "ra", "mc1_targets"}
COLUMNS = {*_QUESTIONS, *OPTIONS, *_CONTEXTS, *_ANSWERS, *sum(_COLUMNS, ()), *_OTHER_FORMS}


@dataclass(frozen=True)
class Choice:
    """A question, what it is about, its options, and the place of the right one, if known.

    An option may be empty; the right one is not.
    """

    question: str
    context: tuple[str, ...]
    options: tuple[str, ...]
    right: int | None

    @property
    def input(self) -> str:
        """Give what the question is about and the lettered options as one text."""
        return "\n\n".join([*self.context, "\n".join(self._lines().values())])

    @property
    def answer(self) -> str:
        """Give the line of the right option; "" if it is not known."""
        return "" if self.right is None else self._lines()[self.right]

    def _lines(self) -> dict[int, str]:
        return {n: f"{_LETTERS[n]}. {text}" for n, text in enumerate(self.options) if text}


def is_choice(values: Mapping[str, Any]) -> bool:
    """Whether a row has a question with options."""
    values = _usual_form(values)
    return any(values.get(name) for name in _QUESTIONS) and bool(_options(values))


def _usual_form(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Put a row of three other forms into one with question, options and `answer_idx`.

    HEAD-QA {"qtext": "...", "answers": [{"aid": 1, "atext": "..."}, ...], "ra": 1}; TruthfulQA
    {"question": "...", "mc1_targets": {"choices": [...], "labels": [1, 0, ...]}}; AI2's own ARC
    {"question": {"stem": "...", "choices": [...]}, "answerKey": "A"}.
    """
    if "qtext" in values:
        given = {"question": values["qtext"], "options": values.get("answers")}
        return {**values, **given, "answer_idx": values.get("ra")}
    targets = values.get("mc1_targets")
    if isinstance(targets, dict):
        marks = zip(_LETTERS, targets.get("labels") or (), strict=False)
        right = [letter for letter, mark in marks if mark == 1]
        return {**values, "choices": targets.get("choices"), "answer_idx": right}
    nested = values.get("question")
    if isinstance(nested, dict):
        return {**values, "question": nested.get("stem"), "choices": nested.get("choices")}
    return values


def first_number(rows: Iterable[TableRow]) -> int | None:
    """Say whether a file that gives right options as numbers counts them from 0 or from 1.

    None: its numbers do not show it, as no option is the 0th, nor the last if counted from 1.
    """
    shown = set()
    for row in rows:
        values = _usual_form(row.values)
        options = _options(values)
        last = len(options)
        told = [values.get(name) for name in _numbered(values, options)]
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
    values = _usual_form(values)
    question = next(name for name in _QUESTIONS if values.get(name))
    given = _options(values)
    options = {label: read_field(given, label, place, repairs) for label in given}
    texts = tuple(options.values())
    if sum(map(bool, texts)) < 2 or len(texts) > len(_LETTERS):
        raise BadRow(
            "no_choice", f"{place}: {counted(len(texts), 'option')}; give two to {len(_LETTERS)}"
        )
    right = _right(values, options, first, place)
    if right is not None and not (right < len(texts) and texts[right]):
        raise BadRow("no_choice", f"{place}: the right answer is an option without a text")
    return Choice(
        question=read_field(values, question, place, repairs),
        context=tuple(_material(values, place, repairs)),
        options=texts,
        right=right,
    )


def _options(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the options by their labels, in order."""
    for given in (values.get(name) for name in OPTIONS):
        if isinstance(given, dict) and isinstance(texts := _first(given, _TEXTS), list):
            labels = _first(given, _LABELS)
            return _labelled(labels if isinstance(labels, list) else [], texts)
        if isinstance(given, dict):
            return given
        if isinstance(given, list) and are_objects(given):
            labels = [_first(each, _LABELS) for each in given]
            return _labelled(
                labels if any(labels) else [], [_first(each, _TEXTS) for each in given]
            )
        if isinstance(given, list):
            return _labelled([], given)
    for names in _COLUMNS:
        if names[0] in values and names[1] in values:
            found = (values[name] for name in names if values.get(name) is not None)
            return dict(zip(_LETTERS, found, strict=False))
    return {"A": "yes", "B": "no", "C": "maybe"} if _DECISION in values else {}


def _labelled(labels: Sequence[Any], texts: Sequence[Any]) -> dict[str, Any]:
    """Join labels, or letters if there are none, and texts: a text without a label is an option.

    What has a label twice gets others, as no answer can name it.
    """
    letters = [*_LETTERS, *(f"option {n}" for n in range(len(_LETTERS) + 1, len(texts) + 1))]
    given = labels or letters[: len(texts)]
    pairs = [(str(label), text) for label, text in zip_longest(given, texts)]
    times = Counter(label for label, _ in pairs)
    return {
        label if times[label] == 1 else f"{label}, option {n}": text
        for n, (label, text) in enumerate(pairs, start=1)
    }


def _first(each: Any, names: Iterable[str]) -> Any:
    return next((each[name] for name in names if name in each), None)


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
        each = values[name] if isinstance(values[name], list) else [values[name]]
        possible &= set().union(*(_places(name, one, options, first, place) for one in each))
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
    if found or number is None or any(str(label).isdecimal() for label in labels):
        return found  # where labels are numbers, a number is a label
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
