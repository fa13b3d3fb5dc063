"""The JSON that a server which knows structured output holds a teacher's reply to.

It is part of such a request, hence of its key in the ledger: an edit buys every answer anew.
"""

from typing import Any, get_args

from alpacare.records.task import TaskType

_SCHEMA = {
    "type": "object",
    "properties": {
        "tasks": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "type": {"type": "string", "enum": list(get_args(TaskType))},
                    "topic": {"type": "string"},
                    "view": {"type": "string"},
                    "difficulty": {"type": "integer", "enum": [1, 2, 3, 4, 5]},
                    "instruction": {"type": "string"},
                    "input": {"type": "string"},
                },
                "required": ["type", "topic", "view", "difficulty", "instruction", "input"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["tasks"],
    "additionalProperties": False,
}
RESPONSE_FORMAT: dict[str, Any] = {
    "type": "json_schema",
    "json_schema": {"name": "medical_tasks", "strict": True, "schema": _SCHEMA},
}
