"""One question, answered as the pipeline answers a test set."""

from pathlib import Path
from tempfile import TemporaryDirectory

from alpacare.compute.pretrained import ModelSource
from alpacare.core.settings import load
from alpacare.generation.answering import generate_answers
from alpacare.generation.settings import GenerationsSettings
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.generation import Generation
from alpacare.records.task import TestTask, row_id


def answer_question(
    source: ModelSource, prompt: StudentPrompt, question: tuple[str, str], name: str
) -> Generation:
    """Answer an instruction and its input ("" for none), by section `generations`.

    Raises:
        BadInput: as `generate_answers`.
    """
    instruction, input = question
    task = TestTask(id=row_id(instruction, input), instruction=instruction, input=input)
    settings = load("generations", GenerationsSettings)
    with TemporaryDirectory() as scratch:
        run = generate_answers(source, prompt, [task], settings, name, Path(scratch) / name)
    return run.records[0]
