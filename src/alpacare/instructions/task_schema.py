"""The JSON schema of a teacher's reply, for servers with structured output.

It is part of such a request, hence of its key in the ledger: an edit makes every request new.
"""

from typing import Any, get_args

from alpacare.records.task import TaskType


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_TEXT = {"type": "string"}
_TASK = _object(
    type={**_TEXT, "enum": list(get_args(TaskType))},
    topic=_TEXT,
    view=_TEXT,
    difficulty={"type": "integer", "enum": [1, 2, 3, 4, 5]},
    instruction=_TEXT,
    input=_TEXT,
)
_SCHEMA = _object(tasks={"type": "array", "items": _TASK})
RESPONSE_FORMAT: dict[str, Any] = {
    "type": "json_schema",
    "json_schema": {"name": "medical_tasks", "strict": True, "schema": _SCHEMA},
}
