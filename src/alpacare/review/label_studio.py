"""Label Studio: the sample as tasks for its projects, and its JSON export read back.

Formats: https://labelstud.io/guide/tasks and https://labelstud.io/guide/task_format. Its Pairwise
tag knows no tie, so our interface asks with Choices; who used Pairwise tags, named after the
criteria, in an interface of their own is understood too: there a pair left alone is no verdict.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.files import read_json
from alpacare.core.jsonl import Row, validate
from alpacare.records.review import Review, answer_hash
from alpacare.review.criteria import CRITERIA
from alpacare.review.key import Choice, Key, KeyItem, Opinion, Pairs, SampleId, read_key
from alpacare.review.page import shown_items

_CHOICES: Mapping[str, Choice] = {"A better": "a", "Tie": "tie", "B better": "b"}
_SIDES: Mapping[str, Choice] = {"left": "a", "right": "b"}
_COMMENT = "comment"


def _ask(name: str, question: str) -> str:
    options = "".join(f'\n    <Choice value="{value}"/>' for value in _CHOICES)
    return f"""\
  <Header value="{question}"/>
  <Choices name="{name}" toName="prompt" choice="single-radio" showInline="true" required="true">\
{options}
  </Choices>
"""


CONFIG = f"""\
<View>
  <Text name="prompt" value="$prompt"/>
  <View style="display: grid; grid-template-columns: 1fr 1fr; column-gap: 1em">
    <View><Header value="Answer A"/><Text name="answer_a" value="$answer_a"/></View>
    <View><Header value="Answer B"/><Text name="answer_b" value="$answer_b"/></View>
  </View>
{"".join(_ask(name, question) for name, _, question in CRITERIA)}\
  <TextArea name="{_COMMENT}" toName="prompt" placeholder="Comment" rows="2" maxSubmissions="1"/>
</View>
"""


def make_tasks(key: Key, pairs: Pairs) -> list[dict[str, Any]]:
    """Give the sample as tasks, in the order shown; names of models are not in them."""
    return [
        {
            "data": {
                "sample": key.sample,
                "item": each["id"],
                "prompt": "\n\n".join(filter(None, (each["instruction"], each["input"]))),
                "answer_a": each["a"],
                "answer_b": each["b"],
            }
        }
        for each in shown_items(key, pairs)
    ]


class _Loose(Row):
    """Of what Label Studio writes only a part is of use."""

    model_config = ConfigDict(extra="ignore")


class _Data(_Loose):
    sample: SampleId
    item: str
    answer_a: str
    answer_b: str


class _Value(_Loose):
    choices: list[str] = Field(default=[])
    selected: Literal["left", "right", "none"] | None = None
    text: list[str] | str = Field(default="")


class _Result(_Loose):
    from_name: str
    type: str
    value: _Value


class _Person(_Loose):
    id: int


class _Annotation(_Loose):
    completed_by: int | _Person
    was_cancelled: bool = False
    result: list[_Result]

    def person(self) -> int:
        return self.completed_by if isinstance(self.completed_by, int) else self.completed_by.id


class _Task(_Loose):
    data: _Data
    annotations: list[_Annotation]


def read_export(path: Path, names: Mapping[int, str]) -> list[Review]:
    """Read an export of the kind "JSON"; `names` are the reviewers by their number there.

    Who has no name is called annotator-NUMBER: e-mail addresses stay out of Git.

    Raises:
        BadInput: another kind of export, a task that is not as it was drawn, an unknown verdict.
    """
    exported = read_json(path)
    if not isinstance(exported, list):
        raise BadInput(f"{path}: expected a list of tasks; export the project as JSON")
    reviews: list[Review] = []
    for number, value in enumerate(exported, start=1):
        place = f"{path}: task {number}"
        if not isinstance(value, dict) or "annotations" not in value:
            raise BadInput(f"{place}: has no annotations; export the project as JSON, not JSON-MIN")
        task = validate(_Task, value, place)
        key = read_key(task.data.sample, place)
        item = _find(key, task.data, place)
        for annotation in task.annotations:
            if not annotation.was_cancelled:
                name = names.get(annotation.person(), f"annotator-{annotation.person()}")
                reviews += _read_annotation(annotation, key, item, name, place)
    return reviews


def _find(key: Key, data: _Data, place: str) -> KeyItem:
    item = key.by_id().get(data.item)
    if item is None:
        raise BadInput(f"{place}: item {data.item} is not in sample {key.sample}")
    if item.hashes() != (answer_hash(data.answer_a), answer_hash(data.answer_b)):
        raise BadInput(
            f"{place}: its answers are not those that were drawn; import the tasks again as "
            "`alpacare review` wrote them"
        )
    return item


def _read_annotation(
    annotation: _Annotation, key: Key, item: KeyItem, name: str, place: str
) -> Iterator[Review]:
    said = [_said(each) for each in annotation.result if each.from_name == _COMMENT]
    for each in annotation.result:
        if each.from_name != _COMMENT and (choice := _choice(each, place)):
            opinion = Opinion(name, each.from_name, choice, "\n".join(said))
            yield key.unblind(item, opinion, place)


def _said(result: _Result) -> str:
    text = result.value.text
    return text if isinstance(text, str) else "\n".join(text)


def _choice(result: _Result, place: str) -> Choice | None:
    if result.type == "pairwise":
        return _SIDES.get(result.value.selected or "none")
    if result.type != "choices" or len(result.value.choices) != 1:
        raise BadInput(f"{place}: '{result.from_name}' is no single choice, and no pairwise one")
    (value,) = result.value.choices
    if value not in _CHOICES:
        raise BadInput(f"{place}: '{value}' is none of the choices: {', '.join(_CHOICES)}")
    return _CHOICES[value]


def import_export(export: Path, names: Sequence[str], target: Path) -> str:
    """Write what an export says to `target`; say what that is.

    Raises:
        BadInput: as `read_export`; a name that is not NUMBER=NAME; no verdicts; a target that is
            there and holds something else.
    """
    reviews = read_export(export, _read_names(names))
    if not reviews:
        raise BadInput(f"{export}: no verdicts yet")
    if target.exists() and jsonl.read(target, Review) != reviews:
        raise BadInput(
            f"{target}: holds something else; name another file with --out, or remove it"
        )
    jsonl.write(target, reviews)
    who = ", ".join(sorted({review.reviewer for review in reviews}))
    return f"{target}: {len(reviews)} verdicts by {who}"


def _read_names(names: Sequence[str]) -> dict[int, str]:
    found = {}
    for name in names:
        number, equals, who = name.partition("=")
        if not (number.isdecimal() and equals and who.strip()):
            raise BadInput(f"--reviewer {name}: write NUMBER=NAME, say 1=ann")
        found[int(number)] = who.strip()
    return found
