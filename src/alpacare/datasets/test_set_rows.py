"""One row of a published test set, in any of its forms; each repair is counted.

{"id": 0, "instruction": "...", "difficulty": "3", "gpt-4-answer": "...", "claude-2": " ..."}
{"instruction": "", "input": "...", "output": "..."}
{"prompt": "Human: ... Assistant:", "response": " ..."}
{"dataset": "...", "instruction": "...", "output": "...", "generator": "text_davinci_003"}
{"id": 0, "instruction": "...", "raw_output": "...", "response": "..."}
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.core.texts import comparable
from alpacare.datasets.fields import normalise_kind, read_field
from alpacare.records.task import row_id

_SUFFIX = "-answer"
_NO_SUFFIX = "claude-2"  # the one answer in MedInstruct-test without the suffix
_NO_INPUT = ("na", "n/a", "<noinput>")
_ANSWERS = ("output", "response", "generator", "answers")
_KIND = ("type", "topic", "view", "difficulty")
_IGNORED = ("id", "dataset", "raw_output")  # ids are made anew, raw_output is prompt and response
_KNOWN = {"instruction", "input", "prompt", *_ANSWERS, *_KIND, *_IGNORED, _NO_SUFFIX}


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
    value: dict[str, Any], place: str, answerer: str | None, repairs: Counter[str]
) -> PublishedRow:
    """Read a row; `answerer` gave its `response`, or else its `output`.

    Raises:
        BadInput: no question and no prompt, an answer without a name, a field of another type.
    """
    instruction, input, prompt = (
        read_field(value, key, place, repairs) for key in ("instruction", "input", "prompt")
    )
    if input.lower() in _NO_INPUT:
        repairs[f'inputs "{input}" read as none'] += 1
        input = ""
    if not (instruction or input or prompt):
        raise BadInput(
            f"{place}: no question: wanted 'instruction' (and 'input'), or 'prompt'; the row has: "
            f"{', '.join(value) or 'nothing'}"
        )
    repairs["ids made anew"] += "id" in value and value["id"] != row_id(instruction, input)
    for key in value:
        if key not in _KNOWN and not key.endswith(_SUFFIX):
            repairs[f"fields '{key}' not read"] += 1
    answers = _answers(value, place, answerer, repairs)
    return PublishedRow(place, instruction, input, prompt, answers, _kind(value, place, repairs))


def _answers(
    value: dict[str, Any], place: str, answerer: str | None, repairs: Counter[str]
) -> dict[str, str]:
    answers: dict[str, str] = {}
    for name, holder, key in _find_answers(value, place, answerer):
        if name is None:
            raise BadInput(f"{place}: whose is this '{key}'? name them, as in gpt-4=FILE")
        slug = name if name == answerer else _slug(name, place)
        if slug in answers:
            raise BadInput(f"{place}: two answers by '{slug}'; rename or delete one")
        if slug != key and key not in _ANSWERS:
            repairs[f"fields '{key}' read as {slug}"] += 1
        answers[slug] = read_field(holder, key, place, repairs)
    return answers


def _find_answers(
    value: dict[str, Any], place: str, answerer: str | None
) -> Iterator[tuple[str | None, dict[str, Any], str]]:
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


def _kind(value: dict[str, Any], place: str, repairs: Counter[str]) -> dict[str, str | int]:
    fields = {key: read_field(value, key, place, repairs) for key in _KIND[:-1]}
    difficulty = value.get("difficulty")
    repairs["difficulties given as text"] += isinstance(difficulty, str)
    return normalise_kind({**fields, "difficulty": difficulty}, repairs)
