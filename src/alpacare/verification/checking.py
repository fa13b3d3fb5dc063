"""Whom to ask whether an answer is right, and how: a folder, prompts/verifiers/NAME/."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from alpacare.core.settings import Settings, check, read_yaml
from alpacare.llm.endpoints import read_endpoint
from alpacare.llm.request import Request
from alpacare.llm.request_settings import RequestSettings
from alpacare.prompting.chat_prompt import ChatPrompt
from alpacare.prompting.variables import ANSWER
from alpacare.records.response import Response

_TEXT = {"type": "string"}
_SCHEMA = {
    "type": "object",
    "properties": {
        "own_answer": _TEXT,
        "error": _TEXT,
        "verdict": {"type": "string", "enum": ["right", "wrong"]},
    },
    "required": ["own_answer", "error", "verdict"],
    "additionalProperties": False,
}


class VerifiedSettings(Settings):
    """Section `verified` of params.yaml: what becomes of a wrong answer, and how many are planted.

    `planted_errors`: so many copies of answers get an error, to measure the verifier.
    """

    action: Literal["drop", "flag"]
    planted_errors: int = Field(ge=0)
    seed: int = Field(ge=0)


class VerifierSettings(RequestSettings):
    """A verifier's settings.yaml.

    `format`: json_schema asks a server that has structured output for JSON.
    """

    format: Literal["text", "json_schema"] = "text"

    def structure(self) -> dict[str, Any]:
        """Give what a request holds besides, so that the reply is JSON."""
        if self.format == "text":
            return {}
        shape = {"name": "check", "strict": True, "schema": _SCHEMA}
        return {"response_format": {"type": "json_schema", "json_schema": shape}}


def read_verifier(folder: Path) -> VerifierSettings:
    """Read a verifier's settings.

    Raises:
        BadInput: there are none, or they are wrong.
    """
    path = folder / "settings.yaml"
    return check(read_yaml(path), VerifierSettings, f"{path}: ")


def make_check_requests(folder: Path, rows: Iterable[Response]) -> list[Request]:
    """Make a request for each row: its task and its answer.

    Raises:
        BadInput: the settings or the prompt are wrong.
    """
    settings, chat = read_verifier(folder), ChatPrompt.read(folder, ANSWER)
    endpoint = read_endpoint(settings.endpoint)
    return [
        settings.request(
            endpoint, chat.fill(_values(row)), label=f"check of {row.id}", **settings.structure()
        )
        for row in rows
    ]


def _values(row: Response) -> dict[str, str]:
    """Give what a prompt shows; of a conversation, all turns before the last answer."""
    shown = {"instruction": row.instruction, "input": row.input, "output": row.output}
    if not row.messages:
        return shown
    asked = row.messages[:-1] if row.messages[-1].role == "assistant" else row.messages
    turns = "\n\n".join(f"{turn.role}: {turn.content}" for turn in asked)
    return shown | {"instruction": turns, "input": ""}
