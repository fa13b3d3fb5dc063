"""One request for each task: a prompt template filled with its instruction and input."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from alpacare.core.settings import check, read_yaml
from alpacare.llm.endpoints import read_endpoint
from alpacare.llm.request import Request
from alpacare.llm.request_settings import RequestSettings
from alpacare.prompting.chat_prompt import ChatPrompt
from alpacare.prompting.distinct import DistinctTexts
from alpacare.prompting.variables import TASK
from alpacare.records.message import Message
from alpacare.records.task import Question, TestTask


class ResponsesSettings(RequestSettings):
    """Section `responses` of params.yaml."""

    input_equals_output: bool


def make_requests(
    tasks: Iterable[Question], settings: RequestSettings, prompt: Path
) -> Iterator[Request]:
    """Make a request for each task; of a conversation its turns follow what the system is told.

    A conversation's own system turn takes the place of the prompt's.

    Raises:
        BadInput: the prompt is wrong, or asks the same for two different tasks.
    """
    endpoint = read_endpoint(settings.endpoint)
    chat, distinct = ChatPrompt.read(prompt, TASK), DistinctTexts(prompt)
    for task in tasks:
        messages = chat.fill({"instruction": task.instruction, "input": task.input})
        if isinstance(task, TestTask) and task.messages:
            messages = _join_turns(messages, task.messages)
        request = settings.request(endpoint, messages, label=f"answer to {task.id}")
        distinct.add(task, messages[-1]["content"], request.key())
        yield request


def _join_turns(prompt: list[dict[str, str]], turns: Sequence[Message]) -> list[dict[str, str]]:
    told = [turn for turn in prompt if turn["role"] == "system" and turn["content"]]
    own = any(turn.role == "system" for turn in turns)
    return [*([] if own else told), *(turn.model_dump() for turn in turns)]


def make_folder_requests(prompt: Path, tasks: Iterable[Question]) -> list[Request]:
    """Put each task into the prompt of a folder whose settings.yaml says whom to ask, and how.

    Raises:
        BadInput: no such folder, its settings are wrong, or as `make_requests`.
    """
    path = prompt / "settings.yaml"
    return list(make_requests(tasks, check(read_yaml(path), RequestSettings, f"{path}: "), prompt))
