"""Chat data as others write it, as turns with our roles.

OpenAI's form {"messages": [{"role": "user", "content": "..."}]}, ShareGPT's {"conversations":
[{"from": "human", "value": "..."}]}. Contents in parts are read if all parts are text.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from alpacare.core.errors import BadInput
from alpacare.core.files import parse_any_json
from alpacare.datasets.fields import BadRow, read_answer, read_field
from alpacare.datasets.json_tables import are_objects
from alpacare.records.message import Message

COLUMNS = ("messages", "conversations", "conversation")
_ROLES: Mapping[str, Literal["system", "user", "assistant"]] = {
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("user", "human"), "user"),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "bot", "model"), "assistant"),
}


def find_conversation(values: Mapping[str, Any]) -> str:
    """Give the name of the column that holds a row's conversation; "" without one."""
    return next((name for name in COLUMNS if are_objects(parse_turns(values.get(name)))), "")


def parse_turns(value: Any) -> Any:
    """Give the turns that a text holds as JSON, as some Parquet files do; else the value itself."""
    if not (isinstance(value, str) and value.lstrip().startswith("[")):
        return value
    try:
        return parse_any_json(value, "")
    except BadInput:
        return value


def refuse_conversation(values: Mapping[str, Any], place: str) -> None:
    """Check that a row has no column of a conversation: it would have been read.

    Raises:
        BadRow: it has one, in a form that is not read.
    """
    for name in COLUMNS:
        if values.get(name):
            raise BadRow(
                "no_conversation",
                f"{place}: '{name}' is {_kind(values[name])} and no list of turns as "
                '[{"role": "user", "content": "..."}], nor JSON text of one',
            )


def _kind(value: Any) -> str:
    kinds: dict[type, str] = {str: "text", dict: "one object", list: "a list"}
    return kinds.get(type(value), type(value).__name__)


def read_conversation(turns: Sequence[Any], place: str, repairs: Counter[str]) -> list[Message]:
    """Give a conversation: maybe a system turn, then question and answer by turns.

    A question at the end that nobody answered is left out, unless it is the only one.

    Raises:
        BadRow: a turn that is no text by one of the three roles, an empty one, another order.
    """
    messages = [_read_turn(turn, place, repairs) for turn in turns]
    if messages and messages[0].role == "system" and not messages[0].content:
        del messages[0]
    if len(messages) > 2 and messages[-1].role == "user":
        repairs["conversations without their last question, which has no answer"] += 1
        del messages[-1]
    roles = [turn.role for turn in messages]
    asked = roles[1:] if roles[:1] == ["system"] else roles
    if not asked or asked != (["user", "assistant"] * len(asked))[: len(asked)]:
        order = ", ".join(roles[:6])
        raise BadRow("no_conversation", f"{place}: user and assistant do not take turns: {order}")
    for turn in messages:
        if not turn.content:
            raise BadRow("no_conversation", f"{place}: an empty turn of the {turn.role}")
    return messages


def _read_turn(turn: Any, place: str, repairs: Counter[str]) -> Message:
    if not isinstance(turn, dict):
        raise BadRow("no_conversation", f"{place}: a turn must be an object with role and content")
    said = str(turn.get("role") or turn.get("from"))
    role = _ROLES.get(said.lower())
    if role is None:
        raise BadRow("no_conversation", f"{place}: a turn by '{said}', which no student takes")
    key = "content" if "content" in turn else "value"
    content = turn.get(key)
    if isinstance(content, list):
        turn = {key: "\n\n".join(_part(part, place) for part in content)}
    read = read_answer if role == "assistant" else read_field
    return Message(role=role, content=read(turn, key, place, repairs))


def _part(part: Any, place: str) -> str:
    if isinstance(part, dict) and part.get("type", "text") == "text" and "text" in part:
        return str(part["text"])
    raise BadRow("no_conversation", f"{place}: a turn with more than text, say an image")
