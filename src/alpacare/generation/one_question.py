"""One question, answered as the pipeline answers a test set."""

from pathlib import Path
from tempfile import TemporaryDirectory

from alpacare.compute.pretrained import ModelSource
from alpacare.core.errors import BadInput
from alpacare.core.jsonl import validate
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
        BadInput: it cannot be asked, or as `generate_answers`.
    """
    instruction, input = question
    try:
        id = row_id(instruction, input)
    except UnicodeEncodeError as error:
        raise BadInput("QUESTION, --input: other bytes than UTF-8; write it in UTF-8") from error
    row = {"id": id, "instruction": instruction, "input": input}
    task = validate(TestTask, row, "QUESTION, --input")
    settings = load("generations", GenerationsSettings)
    with TemporaryDirectory() as scratch:
        run = generate_answers(source, prompt, [task], settings, name, Path(scratch) / name)
    return run.records[0]
