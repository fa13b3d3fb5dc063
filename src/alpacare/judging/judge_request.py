"""A judge behind an API: ask through the ledger, read the verdict, ask again where there is none.

Only replies are kept in the ledger, never what was read from them: a better reading, or one more
try, makes a verdict of what had none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from alpacare.judging.judges import AskedJudge
from alpacare.judging.verdicts.reading import Reading, read_verdict
from alpacare.llm.client import Find, ask, look_up
from alpacare.llm.endpoints import Endpoint, read_endpoint
from alpacare.llm.reply import Answer
from alpacare.llm.request import Request
from alpacare.prompting.judge_prompt import JudgePrompt
from alpacare.records.judgment import Judgment
from alpacare.records.shown_pair import Case

_TRY = 1000  # sample numbers of the next try start here, so that samples and tries never meet


@dataclass
class Inquiry:
    """One sample of a judge's opinion of one case: what was asked, and what came back."""

    case: Case
    sample: int
    name: str
    judge: AskedJudge
    endpoint: Endpoint
    text: str
    replies: list[Answer] = field(default_factory=list)
    reading: Reading = field(default_factory=lambda: Reading(None))

    def request(self) -> Request:
        """Make the next request: after an unreadable reply with the reminder, if there is one."""
        messages = [{"role": "user", "content": self.text}]
        for reply in self.replies:
            if self.judge.reminder and reply.text.strip():  # servers refuse an empty turn
                messages += [
                    {"role": "assistant", "content": reply.text},
                    {"role": "user", "content": self.judge.reminder},
                ]
        request = self.judge.request(
            self.endpoint,
            messages,
            label=(
                f"{self.name} on {self.case.model.id} against {self.case.reference.generator}, "
                f"{self.case.order}"
            ),
            sample=self.sample + _TRY * len(self.replies),
        )
        return replace(request, price=self.judge.price)

    def take(self, reply: Answer) -> None:
        """Take the reply to the last request."""
        self.replies.append(reply)
        cut = reply.finish_reason == "length"
        self.reading = read_verdict(reply.text, self.judge.verdict, self.case.shown(), cut=cut)

    @property
    def open(self) -> bool:
        """Whether it is worth another try.

        No other try helps with a prompt that a filter refused, nor with a judge that thought until
        its tokens ended and then said nothing.
        """
        if self.reading.slot is not None or len(self.replies) == self.judge.tries:
            return False
        last = self.replies[-1] if self.replies else None
        spent = last and last.finish_reason == "length" and not last.text.strip()
        return not (last and (last.refused or spent))

    def judgment(self) -> Judgment:
        """Give the judgment by the last reply that says anything."""
        said = [reply for reply in self.replies if reply.text.strip()]
        last = said[-1] if said else self.replies[-1]
        first_is_model = self.case.order == "model_first"
        return Judgment(
            id=self.case.model.id,
            order=self.case.order,
            verdict=self.case.verdict(self.reading.slot),
            raw=last.text,
            request=last.key,
            sample=self.sample,
            tries=len(self.replies),
            ratings={
                name: list(given if first_is_model else reversed(given))
                for name, given in self.reading.ratings.items()
            },
        )


def make_inquiries(judge: AskedJudge, folder: Path, cases: Iterable[Case]) -> list[Inquiry]:
    """Put every case into the judge's prompt, once a sample.

    Raises:
        BadInput: the prompt is missing or wrong, or the endpoint is not known.
    """
    prompt = JudgePrompt.read(folder)
    endpoint = read_endpoint(judge.endpoint)
    return [
        Inquiry(case, sample, folder.name, judge, endpoint, text)
        for case in cases
        for text in (prompt.fill(case),)
        for sample in range(judge.samples)
    ]


def ask_judge(inquiries: Sequence[Inquiry]) -> tuple[list[Judgment], list[Answer]]:
    """Ask until every verdict is readable, or the tries are used up; also give every reply.

    Raises:
        BadInput: as `ask`; what was received is in the ledger.
    """
    waiting = list(inquiries)
    while waiting:
        for inquiry, answer in zip(
            waiting, ask(inquiry.request() for inquiry in waiting), strict=True
        ):
            inquiry.take(answer)
        waiting = [inquiry for inquiry in waiting if inquiry.open]
    replies = [reply for inquiry in inquiries for reply in inquiry.replies]
    return [inquiry.judgment() for inquiry in inquiries], replies


def find_replies(
    inquiries: Sequence[Inquiry], find: Find
) -> tuple[list[Request], list[Answer | Request]]:
    """Go as far as the ledger leads: every request, and its answer or what is missing for it."""
    asked: list[Request] = []
    found: list[Answer | Request] = []
    for inquiry in inquiries:
        while inquiry.open:
            asked.append(inquiry.request())
            reply = look_up(asked[-1], find)
            found.append(reply)
            if isinstance(reply, Request):
                break
            inquiry.take(reply)
    return asked, found
