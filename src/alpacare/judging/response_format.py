"""What asks a server for a verdict as JSON, by a schema: OpenAI's API, vLLM."""

from typing import Any, Literal

from alpacare.judging.verdicts.labels import Labels
from alpacare.judging.verdicts.ratings import Ratings


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
    return _format(schema)


def criteria_format(ask: Literal["all", "each"]) -> dict[str, Any]:
    """Give the one that makes a server say whether a criterion is met, or which of several are."""
    said: dict[str, Any] = {"explanation": {"type": "string"}, "criteria_met": {"type": "boolean"}}
    if ask == "each":
        return _format(_object(said))
    item = _object({"number": {"type": "integer"}, **said})
    return _format(_object({"criteria": {"type": "array", "items": item}}))


def _format(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "json_schema",
        "json_schema": {"name": "verdict", "strict": True, "schema": schema},
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
