"""Judges that grade one answer alone, by the rubrics of its test item, asked through the ledger."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from alpacare.core.errors import BadInput
from alpacare.judging.dialogue import Dialogue
from alpacare.judging.judges import RubricJudge
from alpacare.judging.verdicts.criteria import Met, read_criteria, read_criterion
from alpacare.llm.endpoints import read_endpoint
from alpacare.llm.reply import Answer
from alpacare.llm.request import Request
from alpacare.prompting.distinct import DistinctTexts
from alpacare.prompting.rubric_prompt import RubricPrompt, conversation
from alpacare.records.generation import Generation
from alpacare.records.rubric import GradedItem, RubricItem, RubricJudgment, RubricReply
from alpacare.records.task import TestTask


@dataclass(frozen=True)
class GradedAnswer:
    """An answer to a test item that has rubrics."""

    task: TestTask
    answer: Generation


@dataclass
class RubricRequest:
    """What a judge is asked of one answer: all its criteria, `numbered`, or one of them.

    `reading`: of the reply in which most criteria could be read, which is `read_from`.
    """

    case: GradedAnswer
    criteria: Sequence[RubricItem]
    numbered: bool
    dialogue: Dialogue
    reading: list[Met]
    read_from: Answer | None = None

    @property
    def pending(self) -> bool:
        """Whether to ask, or to ask again."""
        return None in self.reading and self.dialogue.can_go_on

    def next_request(self) -> Request:
        """Make the next request."""
        return self.dialogue.next_request()

    def add_reply(self, reply: Answer) -> None:
        """Add the reply to the last request, and read it."""
        self.dialogue.replies.append(reply)
        shown = conversation(self.case.task), self.case.answer.output
        cut = reply.finish_reason == "length"
        if self.numbered:
            found = read_criteria(reply.whole, len(self.criteria), shown, cut=cut)
        else:
            found = [read_criterion(reply.whole, shown, cut=cut)]
        if found.count(None) < self.reading.count(None):
            self.reading, self.read_from = found, reply

    def graded(self) -> list[GradedItem]:
        """Give the criteria with their verdicts."""
        pairs = zip(self.criteria, self.reading, strict=True)
        return [GradedItem(**item.model_dump(), met=met) for item, met in pairs]

    def reply(self) -> RubricReply:
        """Give the reply that was read, or else the last that has a text."""
        reply = self.read_from or self.dialogue.last_reply
        return RubricReply(request=reply.key, raw=reply.whole, tries=len(self.dialogue.replies))


def pair_rubrics(
    tasks: Mapping[str, TestTask], answers: Sequence[Generation], path: Path
) -> list[GradedAnswer]:
    """Join answers in the file at `path` with those test items that have rubrics, by id.

    Items without rubrics are not graded. No answers at all: none by this model to this test set.

    Raises:
        BadInput: an id that only one of both has.
    """
    for answer in answers:
        if answer.id not in tasks:
            raise BadInput(f"{path}: an answer to task {answer.id}, which the test set lacks")
    by_id = {answer.id: answer for answer in answers}
    for id in tasks if by_id else ():
        if id not in by_id:
            raise BadInput(f"{path}: no answer to task {id}, which the test set has")
    return [
        GradedAnswer(task, by_id[id]) for id, task in tasks.items() if task.rubrics and id in by_id
    ]


def make_rubric_requests(
    judge: RubricJudge, folder: Path, cases: Iterable[GradedAnswer]
) -> list[RubricRequest]:
    """Fill the judge's prompt with every answer and its criteria, in the order of the answers.

    Raises:
        BadInput: the prompt is missing or wrong, or asks the same for two different tasks; the
            endpoint is unknown.
    """
    prompt, endpoint = RubricPrompt.read(folder), read_endpoint(judge.endpoint)
    distinct, made = DistinctTexts(prompt.path), list[RubricRequest]()
    for case in cases:
        rubrics, numbered = case.task.rubrics, judge.ask == "all"
        parts = [rubrics] if numbered else [[each] for each in rubrics]
        for number, part in enumerate(parts, start=1):
            text = prompt.fill(case.task, case.answer.output, part, numbered=numbered)
            distinct.add(case.task, text)
            label = f"{folder.name} on {case.task.id} by {case.answer.generator}"
            label += "" if numbered else f", criterion {number}"
            dialogue = Dialogue(judge, endpoint, text, label, judge.structure())
            made.append(RubricRequest(case, part, numbered, dialogue, [None] * len(part)))
    return made


def make_rubric_judgments(judge: str, requests: Iterable[RubricRequest]) -> list[RubricJudgment]:
    """Give a row for each answer, of the requests about it, which follow each other."""
    rows = []
    for _, group in groupby(requests, key=lambda request: id(request.case)):
        asked = list(group)
        task = asked[0].case.task
        rows.append(
            RubricJudgment(
                id=asked[0].case.answer.id,
                judge=judge,
                tags=task.tags,
                criteria=[graded for each in asked for graded in each.graded()],
                replies=[each.reply() for each in asked],
            )
        )
    return rows
