"""One request for each task: a prompt template filled with its instruction and input."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from alpacare.core.settings import check, read_yaml
from alpacare.llm.endpoints import read_endpoint
from alpacare.llm.request import Request
from alpacare.llm.request_settings import RequestSettings
from alpacare.prompting.chat_prompt import ChatPrompt
from alpacare.prompting.distinct import DistinctTexts
from alpacare.prompting.variables import TASK
from alpacare.records.task import Question


class ResponsesSettings(RequestSettings):
    """Section `responses` of params.yaml."""

    input_equals_output: bool


def make_requests(
    tasks: Iterable[Question], settings: RequestSettings, prompt: Path
) -> Iterator[Request]:
    """Make a request for each task.

    Raises:
        BadInput: the prompt is wrong, or asks the same for two different tasks.
    """
    endpoint = read_endpoint(settings.endpoint)
    chat, distinct = ChatPrompt.read(prompt, TASK), DistinctTexts(prompt)
    for task in tasks:
        messages = chat.fill({"instruction": task.instruction, "input": task.input})
        request = settings.request(endpoint, messages, label=f"answer to {task.id}")
        distinct.add(task, messages[-1]["content"], request.key())
        yield request


def make_folder_requests(prompt: Path, tasks: Iterable[Question]) -> list[Request]:
    """Put each task into the prompt of a folder whose settings.yaml says whom to ask, and how.

    Raises:
        BadInput: no such folder, its settings are wrong, or as `make_requests`.
    """
    path = prompt / "settings.yaml"
    return list(make_requests(tasks, check(read_yaml(path), RequestSettings, f"{path}: "), prompt))
