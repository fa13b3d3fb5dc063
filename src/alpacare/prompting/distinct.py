"""Two different tasks never make one request: one answer would be written to both."""

from pathlib import Path

from alpacare.core.errors import BadInput
from alpacare.records.generation import Generation
from alpacare.records.task import Question


class DistinctTexts:
    """The tasks that a prompt was filled with, by what came out."""

    def __init__(self, prompt: Path) -> None:
        """Start without tasks; `prompt` is named in errors."""
        self._prompt = prompt
        self._tasks: dict[str, Question | Generation] = {}

    def add(self, task: Question | Generation, text: str, key: str = "") -> None:
        """Add a task and what is asked; `key` represents the whole request, else it is `text`.

        Raises:
            BadInput: nothing is asked, or another task made the same.
        """
        if not text.strip():
            raise BadInput(
                f"{self._prompt}: the prompt asks nothing for task {task.id}: its text is empty; "
                "see to the conditions in it"
            )
        other = self._tasks.setdefault(key or text, task)
        if other.id != task.id and _words(other) != _words(task):
            raise BadInput(
                f"{self._prompt}: tasks {other.id} and {task.id} make the same request, because "
                "the prompt leaves out what differs between them; show instruction and input whole"
            )


def _words(task: Question | Generation) -> list[str]:
    """Give all words: a task may also be written with its input as part of the instruction."""
    return f"{task.instruction} {task.input}".split()
