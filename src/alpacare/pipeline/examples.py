"""A task and answers with hardly a word in them: prompts are filled with them to be tried out."""

from alpacare.judging.rubric_request import GradedAnswer
from alpacare.records.generation import Generation
from alpacare.records.response import Response
from alpacare.records.rubric import RubricItem
from alpacare.records.shown_pair import ShownPair
from alpacare.records.task import TestTask, row_id

EXAMPLE = TestTask(id=row_id("x", ""), instruction="x", input="")
_ANSWER = Generation(
    id="x", instruction="x", input="", output="x", generator="x", finish_reason="stop"
)
CASE = ShownPair(_ANSWER, _ANSWER, "model_first")
GRADED = GradedAnswer(
    EXAMPLE.model_copy(update={"rubrics": [RubricItem(criterion="x", points=1)]}), _ANSWER
)
ANSWERED = Response(
    id="x", instruction="x", input="", output="x", finish_reason="stop", model="x", request="x"
)
