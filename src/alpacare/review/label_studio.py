"""Label Studio: the sample as tasks for its projects, and its JSON export read back.

Formats: https://labelstud.io/guide/tasks and https://labelstud.io/guide/task_format. Its Pairwise
tag has no tie, so our interface uses Choices. Pairwise tags that are named after the criteria, in
an interface of your own, are read too: there a pair without a selection has no verdict.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import AliasChoices, AliasPath, ConfigDict, Field

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.files import read_json
from alpacare.core.jsonl import Row, validate
from alpacare.core.texts import counted
from alpacare.display.html import open_templates
from alpacare.records.pairs import Pairs
from alpacare.records.review import answer_hash
from alpacare.review.criteria import CRITERIA
from alpacare.review.key import Choice, Key, KeyItem, SampleId, StudentReview, read_key
from alpacare.review.page import TEMPLATES, shown_items

_CHOICES: Mapping[str, Choice] = {"A better": "a", "Tie": "tie", "B better": "b"}
_SIDES: Mapping[str, Choice] = {"left": "a", "right": "b"}
_COMMENT = "comment"
_PERSON = AliasPath("completed_by", "id")  # or the id itself, depending on the project's settings


def labeling_interface() -> str:
    """Write the labeling interface for a project's settings."""
    template = open_templates(TEMPLATES).get_template("label_studio.xml")
    return template.render(criteria=CRITERIA, choices=_CHOICES, comment=_COMMENT)


def make_tasks(key: Key, pairs: Pairs) -> list[dict[str, Any]]:
    """Give the sample as tasks, in the order shown, without names of models."""
    tasks = []
    for each in shown_items(key, pairs):
        task = {"sample": key.sample, "item": each["id"]}
        task["prompt"] = "\n\n".join(filter(None, (each["instruction"], each["input"])))
        tasks.append({"data": task | {"answer_a": each["a"], "answer_b": each["b"]}})
    return tasks


class _Partial(Row):
    """The fields that are used; Label Studio writes more."""

    model_config = ConfigDict(extra="ignore")


class _Data(_Partial):
    sample: SampleId
    item: str
    answer_a: str
    answer_b: str


class _Value(_Partial):
    choices: list[str] = Field(default=[])
    selected: Literal["left", "right", "none"] | None = None
    text: list[str] | str = Field(default="")


class _Result(_Partial):
    from_name: str
    type: str
    value: _Value


class _Annotation(_Partial):
    person: int = Field(validation_alias=AliasChoices(_PERSON, "completed_by"))
    was_cancelled: bool = False
    result: list[_Result]


class _Task(_Partial):
    data: _Data
    annotations: list[_Annotation]


def read_export(path: Path, names: Mapping[int, str]) -> list[StudentReview]:
    """Read an export of the kind "JSON"; `names`: the reviewers by their number in Label Studio.

    Others are named annotator-NUMBER, so that e-mail addresses stay out of Git.

    Raises:
        BadInput: another kind of export, a task with other answers, an unknown verdict.
    """
    exported = read_json(path)
    if not isinstance(exported, list):
        raise BadInput(f"{path}: expected a list of tasks; export the project as JSON")
    reviews: list[StudentReview] = []
    keys: dict[str, Key] = {}
    for number, value in enumerate(exported, start=1):
        place = f"{path}: task {number}"
        if not isinstance(value, dict) or "annotations" not in value:
            raise BadInput(f"{place}: has no annotations; export the project as JSON, not JSON-MIN")
        task = validate(_Task, value, place)
        sample = task.data.sample
        key = keys[sample] = keys.get(sample) or read_key(sample, place)
        item = _find_item(key, task.data, place)
        for annotation in task.annotations:
            if not annotation.was_cancelled:
                name = names.get(annotation.person, f"annotator-{annotation.person}")
                reviews += _read_annotation(annotation, key, item, name, place)
    return reviews


def _find_item(key: Key, data: _Data, place: str) -> KeyItem:
    item = key.by_id().get(data.item)
    if item is None:
        raise BadInput(f"{place}: item {data.item} is not in sample {key.sample}")
    hashes = item.as_shown(item.generation, item.reference_answer)
    if hashes != (answer_hash(data.answer_a), answer_hash(data.answer_b)):
        raise BadInput(
            f"{place}: its answers are not those of the sample; import the tasks into Label Studio "
            "again as `alpacare review` wrote them"
        )
    return item


def _read_annotation(
    annotation: _Annotation, key: Key, item: KeyItem, name: str, place: str
) -> Iterator[StudentReview]:
    texts = [each.value.text for each in annotation.result if each.from_name == _COMMENT]
    comments = [text if isinstance(text, str) else "\n".join(text) for text in texts]
    for each in annotation.result:
        if each.from_name != _COMMENT and (choice := _choice(each, place)):
            yield key.unblind(item, choice, place, name, each.from_name, "\n".join(comments))


def _choice(result: _Result, place: str) -> Choice | None:
    if result.type == "pairwise":
        return _SIDES.get(result.value.selected or "none")
    if result.type != "choices" or len(result.value.choices) != 1:
        raise BadInput(
            f"{place}: '{result.from_name}' is neither one choice nor a pairwise selection"
        )
    (value,) = result.value.choices
    if value not in _CHOICES:
        raise BadInput(f"{place}: '{value}' is not one of the choices: {', '.join(_CHOICES)}")
    return _CHOICES[value]


def import_export(export: Path, names: Sequence[str], target: Path) -> str:
    """Write the reviews of an export to `target`; give one line on them.

    Raises:
        BadInput: as `read_export`; a name that is not NUMBER=NAME; no verdicts; a target with other
            content.
    """
    reviews = read_export(export, _read_names(names))
    if not reviews:
        raise BadInput(f"{export}: no verdicts yet")
    if target.exists() and jsonl.read(target, StudentReview) != reviews:
        raise BadInput(f"{target}: has other content; name another file with --out, or remove it")
    jsonl.write(target, reviews)
    who = ", ".join(sorted({review.reviewer for review in reviews}))
    return f"{target}: {counted(len(reviews), 'verdict')} by {who}"


def _read_names(names: Sequence[str]) -> dict[int, str]:
    found = {}
    for name in names:
        number, equals, who = name.partition("=")
        if not (number.isdecimal() and equals and who.strip()):
            raise BadInput(f"--reviewer {name}: write NUMBER=NAME, as 1=ann")
        found[int(number)] = who.strip()
    return found
