"""Verdicts as JSON, for servers that hold a reply to a schema: OpenAI's API, vLLM."""

import json
from typing import Any

from alpacare.judging.verdicts.labels import Labels
from alpacare.judging.verdicts.ratings import Ratings
from alpacare.records.judgment import Slot


def response_format(form: Labels | Ratings) -> dict[str, Any]:
    """Give the `response_format` that makes a server reply in this form."""
    if isinstance(form, Labels):
        verdict = {"type": "string", "enum": list(form.slots())}
        schema = _object({"explanation": {"type": "string"}, "verdict": verdict})
    else:
        score = {"type": "integer", "enum": list(range(form.lowest, form.highest + 1))}
        rating = _object({"justification": {"type": "string"}, "score": score})
        side = _object({name: rating for name in form.criteria})
        schema = _object({form.first: side, form.second: side})
    return {
        "type": "json_schema",
        "json_schema": {"name": "verdict", "strict": True, "schema": schema},
    }


def read_structured(reply: str, form: Labels) -> Slot | None:
    """Read a reply that is one JSON object with a label as its `verdict`; None if it is not."""
    if "{" not in reply:
        return None
    try:
        value = json.loads(reply.strip().removeprefix("```json").strip("` \n"))
    except (ValueError, RecursionError):
        return None
    verdict = value.get("verdict") if isinstance(value, dict) else None
    return form.slots().get(verdict) if isinstance(verdict, str) else None


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
