"""One request for each task: a prompt template filled with its instruction and input."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from alpacare.core.settings import check, read_yaml
from alpacare.llm.endpoints import read_endpoint
from alpacare.llm.request import Request
from alpacare.llm.request_settings import RequestSettings
from alpacare.prompting.templates import render_chat
from alpacare.records.task import Question


class ResponsesSettings(RequestSettings):
    """Section `responses` of params.yaml."""

    input_equals_output: bool


def make_requests(
    tasks: Iterable[Question], settings: RequestSettings, prompt: Path
) -> Iterator[Request]:
    """Make a request for each task."""
    endpoint = read_endpoint(settings.endpoint)
    for task in tasks:
        messages = render_chat(prompt, {"instruction": task.instruction, "input": task.input})
        yield settings.request(endpoint, messages, label=f"answer to {task.id}")


def make_folder_requests(prompt: Path, tasks: Iterable[Question]) -> list[Request]:
    """Put each task into the prompt of a folder whose settings.yaml says whom to ask, and how.

    Raises:
        BadInput: no such folder, or its settings are wrong.
    """
    path = prompt / "settings.yaml"
    return list(make_requests(tasks, check(read_yaml(path), RequestSettings, f"{path}: "), prompt))
