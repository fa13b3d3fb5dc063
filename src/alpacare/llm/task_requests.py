"""Instructions put into a prompt, one request each."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from alpacare.llm.endpoints import read_endpoint
from alpacare.llm.request import Request
from alpacare.llm.request_settings import AskingSettings
from alpacare.prompting.templates import render_chat
from alpacare.records.task import Question


class ResponsesSettings(AskingSettings):
    """Section `responses` of params.yaml."""

    input_equals_output: bool


def make_requests(
    tasks: Iterable[Question], settings: AskingSettings, prompt: Path
) -> Iterator[Request]:
    """Put each task into the prompt."""
    endpoint = read_endpoint(settings.endpoint)
    for task in tasks:
        messages = render_chat(prompt, {"instruction": task.instruction, "input": task.input})
        yield settings.request(endpoint, messages, label=f"answer to {task.id}")
