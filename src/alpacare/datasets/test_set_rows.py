"""One row of a published test set, in any form it comes in; what is mended in it is counted.

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
from alpacare.core.files import parse_json
from alpacare.records.labels import canonical_difficulty, canonical_type
from alpacare.records.task import row_id

_SUFFIX = "-answer"
_BARE = "claude-2"  # the one answer in MedInstruct-test without the suffix
_NO_INPUT = ("na", "n/a", "<noinput>")
_ANSWERS = ("output", "response", "generator", "answers")
_KIND = ("type", "topic", "view", "difficulty")
_ASIDE = ("id", "dataset", "raw_output")  # ids are made anew, raw_output is prompt and response
_READ = {"instruction", "input", "prompt", *_ANSWERS, *_KIND, *_ASIDE, _BARE}


@dataclass(frozen=True)
class Published:
    """What a row asks, or the prompt that holds it; who answered what; what kind of task it is."""

    place: str
    instruction: str
    input: str
    prompt: str
    answers: dict[str, str]
    kind: dict[str, str | int]

    @property
    def text(self) -> str:
        """The question, else the prompt, without regard to line breaks and runs of blanks."""
        return " ".join(f"{self.instruction} {self.input}".split() or self.prompt.split())


def split_rows(text: str, place: str) -> list[tuple[str, Any]]:
    """Give (place, value) for each row of a JSON array or of JSON Lines.

    Raises:
        BadInput: not JSON.
    """
    if text.lstrip().startswith("["):
        rows = enumerate(parse_json(text, place), start=1)
        return [(f"{place}: row {number}", row) for number, row in rows]
    lines = enumerate(text.split("\n"), start=1)
    return [
        (f"{place}:{number}", parse_json(line, f"{place}:{number}"))
        for number, line in lines
        if line.strip()
    ]


def read_row(value: Any, place: str, who: str | None, mended: Counter[str]) -> Published:
    """Read a row; `who` gave its `response`, or else its `output`.

    Raises:
        BadInput: no question and no prompt, an answer that nobody signs, a field of another type.
    """
    if not isinstance(value, dict):
        raise BadInput(f"{place}: expected a JSON object, found {type(value).__name__}")
    instruction, input, prompt = (
        _text(value, key, place, mended) for key in ("instruction", "input", "prompt")
    )
    if input.lower() in _NO_INPUT:
        mended[f'inputs "{input}" read as none'] += 1
        input = ""
    if not (instruction or input or prompt):
        raise BadInput(
            f"{place}: no question: wanted 'instruction' (and 'input'), or 'prompt'; the row has: "
            f"{', '.join(value) or 'nothing'}"
        )
    mended["ids made anew"] += "id" in value and value["id"] != row_id(instruction, input)
    for key in value:
        if key not in _READ and not key.endswith(_SUFFIX):
            mended[f"fields '{key}' not read"] += 1
    answers = _answers(value, place, who, mended)
    return Published(place, instruction, input, prompt, answers, _kind(value, place, mended))


def _text(holder: dict[str, Any], key: str, place: str, mended: Counter[str]) -> str:
    """Give a text without the blanks around it; a missing one is empty."""
    text = holder.get(key)
    if text is None:
        return ""
    if not isinstance(text, str):
        raise BadInput(f"{place}: '{key}' must be text, found {type(text).__name__}")
    mended["texts freed of blanks around them"] += text != text.strip()
    return text.strip()


def _answers(
    value: dict[str, Any], place: str, who: str | None, mended: Counter[str]
) -> dict[str, str]:
    answers: dict[str, str] = {}
    for name, holder, key in _signed(value, place, who):
        if name is None:
            raise BadInput(f"{place}: whose is this '{key}'? name them, as in gpt-4=FILE")
        slug = name if name == who else _slug(name, place)
        if slug in answers:
            raise BadInput(f"{place}: two answers by '{slug}'; rename or delete one")
        if slug != key and key not in _ANSWERS:
            mended[f"fields '{key}' read as {slug}"] += 1
        answers[slug] = _text(holder, key, place, mended)
    return answers


def _signed(
    value: dict[str, Any], place: str, who: str | None
) -> Iterator[tuple[str | None, dict[str, Any], str]]:
    """Yield whose answer it is, and the object and key that hold it.

    A row with `response` and `output` is a model's answer written beside a reference's, which
    `generator` signs.
    """
    for key in value:
        if key.endswith(_SUFFIX) or key == _BARE:
            yield key.removesuffix(_SUFFIX), value, key
    answers = value.get("answers") or {}
    if not isinstance(answers, dict):
        raise BadInput(f"{place}: 'answers' must be an object: whose, and what")
    for name in answers:
        yield name, answers, name
    generator = _text(value, "generator", place, Counter()) or None
    if "response" in value:
        yield who, value, "response"
    if "output" in value:
        yield (generator if "response" in value else who or generator), value, "output"


def _slug(name: str, place: str) -> str:
    """Make a name that can stand in params.yaml: text_davinci_003 becomes text-davinci-003."""
    slug = re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.")
    if not slug:
        raise BadInput(f"{place}: '{name}' is no name for an answerer; give it letters or digits")
    return slug


def _kind(value: dict[str, Any], place: str, mended: Counter[str]) -> dict[str, str | int]:
    """Read what is said of the task; a type or difficulty that is none of ours is left open."""
    difficulty = value.get("difficulty")
    mended["difficulties given as text"] += isinstance(difficulty, str)
    kind = {
        "type": canonical_type(_text(value, "type", place, mended)),
        "topic": _text(value, "topic", place, mended),
        "view": _text(value, "view", place, mended),
        "difficulty": canonical_difficulty(difficulty),
    }
    for key in ("type", "difficulty"):
        if value.get(key) is not None and kind[key] is None:
            mended[f"{key} unknown, left open"] += 1
    return {key: known for key, known in kind.items() if known}
