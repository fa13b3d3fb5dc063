"""The prompt of a judge that grades one answer: a conversation, the answer, and criteria."""

from collections.abc import Sequence

from alpacare.prompting.prompt_file import PromptFile
from alpacare.prompting.variables import GRADING
from alpacare.records.message import Message, transcript
from alpacare.records.rubric import RubricItem
from alpacare.records.task import TestTask


class RubricPrompt(PromptFile):
    """The template of such a judge."""

    variables = GRADING

    def fill(
        self, task: TestTask, output: str, criteria: Sequence[RubricItem], *, numbered: bool
    ) -> str:
        """Give the text for one answer and these criteria, `numbered` from 1 or not.

        Raises:
            BadInput: the template cannot be filled with it.
        """
        listed = _list_criteria(criteria, numbered)
        values = {"conversation": conversation(task), "output": output, "criteria": listed}
        return self.render(values)


def conversation(task: TestTask) -> str:
    """Give what was asked as text, each turn after its role."""
    if task.messages:
        return task.instruction
    asked = "\n\n".join(filter(None, (task.instruction, task.input)))
    return transcript([Message(role="user", content=asked)])


def _list_criteria(criteria: Sequence[RubricItem], numbered: bool) -> str:
    """Write criteria with their points, as HealthBench's grader reads them: "[5] Names ..."."""
    lines = [f"[{each.points:g}] {each.criterion}" for each in criteria]
    return "\n".join(f"{n}. {line}" if numbered else line for n, line in enumerate(lines, start=1))
