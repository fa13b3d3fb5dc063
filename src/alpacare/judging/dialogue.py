"""One question to a judge behind an API, asked again where its reply cannot be read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from alpacare.judging.judges import AskedJudge
from alpacare.llm.client import FindAnswer, ask, look_up
from alpacare.llm.endpoints import Endpoint
from alpacare.llm.reply import Answer
from alpacare.llm.request import Request

_TRY_OFFSET = 1000  # added to the sample number for each try, so that samples and tries differ


@dataclass
class Dialogue:
    """What a judge is asked, `structure` of its reply, and the replies so far."""

    judge: AskedJudge
    endpoint: Endpoint
    text: str
    label: str
    structure: dict[str, Any]
    sample: int = 0
    replies: list[Answer] = field(default_factory=list)

    def next_request(self) -> Request:
        """Make the next request: after an unreadable reply with the reminder, if there is one."""
        messages = [{"role": "user", "content": self.text}]
        for reply in self.replies:
            if self.judge.reminder and reply.whole.strip():  # servers refuse an empty turn
                messages += [
                    {"role": "assistant", "content": reply.whole},
                    {"role": "user", "content": self.judge.reminder},
                ]
        request = self.judge.request(
            self.endpoint,
            messages,
            label=self.label,
            sample=self.sample + _TRY_OFFSET * len(self.replies),
            **self.structure,
        )
        return replace(request, price=self.judge.price)

    @property
    def can_go_on(self) -> bool:
        """Whether to ask, or to ask again, if nothing was read so far.

        Another try does not help if the judge or a filter refused, or if the judge used up its
        tokens on thinking.
        """
        if len(self.replies) == self.judge.tries:
            return False
        last = self.replies[-1] if self.replies else None
        used_up = last and last.finish_reason == "length" and not last.whole.strip()
        return not (last and (last.refused or used_up))

    @property
    def last_reply(self) -> Answer:
        """The last reply that has a text, or else the last."""
        return ([each for each in self.replies if each.whole.strip()] or self.replies)[-1]


class Asked(Protocol):
    """A dialogue with what is read from its replies."""

    @property
    def pending(self) -> bool:
        """Whether to ask, or to ask again."""

    def next_request(self) -> Request:
        """Make the next request."""

    def add_reply(self, reply: Answer) -> None:
        """Add the reply to it, and read it."""


def ask_judges(asked: Iterable[Asked]) -> None:
    """Ask until every reply is readable, or all tries are used.

    Raises:
        BadInput: as `ask`; what was received is in the ledger.
    """
    pending = [each for each in asked if each.pending]
    while pending:
        answers = ask(each.next_request() for each in pending)
        for each, answer in zip(pending, answers, strict=True):
            each.add_reply(answer)
        pending = [each for each in pending if each.pending]


def find_replies(
    asked: Sequence[Asked], find: FindAnswer
) -> tuple[list[Request], list[Answer | Request]]:
    """Give the requests, as far as the ledger has answers, and for each its answer or itself."""
    sent: list[Request] = []
    found: list[Answer | Request] = []
    for each in asked:
        while each.pending:
            sent.append(each.next_request())
            reply = look_up(sent[-1], find)
            found.append(reply)
            if isinstance(reply, Request):
                break
            each.add_reply(reply)
    return sent, found
