"""LLM judges: ask through the ledger, read the verdict, ask again where there is none.

The ledger holds replies only, not the verdicts read from them: better reading, or one more try, can
give a verdict where there was none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from alpacare.judging.judges import LLMJudge
from alpacare.judging.verdicts.reading import Reading, read_verdict
from alpacare.llm.client import FindAnswer, ask, look_up
from alpacare.llm.endpoints import Endpoint, read_endpoint
from alpacare.llm.reply import Answer
from alpacare.llm.request import Request
from alpacare.prompting.judge_prompt import JudgePrompt
from alpacare.records.judgment import Judgment
from alpacare.records.shown_pair import ShownPair

_TRY_OFFSET = 1000  # added to the sample number for each try, so that samples and tries differ


@dataclass
class JudgeRequest:
    """One sample of a judge's verdict on one pair: what to ask, and the replies."""

    pair: ShownPair
    sample: int
    name: str
    judge: LLMJudge
    endpoint: Endpoint
    text: str
    replies: list[Answer] = field(default_factory=list)
    reading: Reading = field(default_factory=lambda: Reading(None))

    def next_request(self) -> Request:
        """Make the next request: after an unreadable reply with the reminder, if there is one."""
        messages = [{"role": "user", "content": self.text}]
        for reply in self.replies:
            if self.judge.reminder and reply.whole.strip():  # servers refuse an empty turn
                messages += [
                    {"role": "assistant", "content": reply.whole},
                    {"role": "user", "content": self.judge.reminder},
                ]
        against = self.pair.reference.generator
        request = self.judge.request(
            self.endpoint,
            messages,
            label=f"{self.name} on {self.pair.model.id} against {against}, {self.pair.order}",
            sample=self.sample + _TRY_OFFSET * len(self.replies),
            **self.judge.structure(),
        )
        return replace(request, price=self.judge.price)

    def add_reply(self, reply: Answer) -> None:
        """Add the reply to the last request, and read its verdict."""
        self.replies.append(reply)
        cut = reply.finish_reason == "length"
        self.reading = read_verdict(reply.whole, self.judge.verdict, self.pair.as_shown(), cut=cut)

    @property
    def pending(self) -> bool:
        """Whether to ask, or to ask again.

        Another try does not help if a filter refused the prompt, or if the judge used up its tokens
        on thinking.
        """
        if self.reading.slot is not None or len(self.replies) == self.judge.tries:
            return False
        last = self.replies[-1] if self.replies else None
        used_up = last and last.finish_reason == "length" and not last.whole.strip()
        return not (last and (last.refused or used_up))

    def judgment(self) -> Judgment:
        """Give the judgment, with the last reply that has a text."""
        last = ([each for each in self.replies if each.whole.strip()] or self.replies)[-1]
        first_is_model = self.pair.order == "model_first"
        return Judgment(
            id=self.pair.model.id,
            order=self.pair.order,
            verdict=self.pair.verdict(self.reading.slot),
            raw=last.whole,
            request=last.key,
            sample=self.sample,
            tries=len(self.replies),
            ratings={
                name: list(given if first_is_model else reversed(given))
                for name, given in self.reading.ratings.items()
            },
        )


def make_judge_requests(
    judge: LLMJudge, folder: Path, pairs: Iterable[ShownPair]
) -> list[JudgeRequest]:
    """Fill the judge's prompt with every pair, once for each sample.

    Raises:
        BadInput: the prompt is missing or wrong, or asks the same for two different tasks; the
            endpoint is unknown.
    """
    shown = list(pairs)
    texts = JudgePrompt.read(folder).fill_all(shown)
    endpoint = read_endpoint(judge.endpoint)
    return [
        JudgeRequest(pair, sample, folder.name, judge, endpoint, text)
        for pair, text in zip(shown, texts, strict=True)
        for sample in range(judge.samples)
    ]


def ask_judges(requests: Sequence[JudgeRequest]) -> None:
    """Ask until every verdict is readable, or all tries are used.

    Raises:
        BadInput: as `ask`; what was received is in the ledger.
    """
    pending = [each for each in requests if each.pending]
    while pending:
        answers = ask(each.next_request() for each in pending)
        for each, answer in zip(pending, answers, strict=True):
            each.add_reply(answer)
        pending = [each for each in pending if each.pending]


def find_replies(
    requests: Sequence[JudgeRequest], find: FindAnswer
) -> tuple[list[Request], list[Answer | Request]]:
    """Give the requests, as far as the ledger has answers, and for each its answer or itself."""
    sent: list[Request] = []
    found: list[Answer | Request] = []
    for each in requests:
        while each.pending:
            sent.append(each.next_request())
            reply = look_up(sent[-1], find)
            found.append(reply)
            if isinstance(reply, Request):
                break
            each.add_reply(reply)
    return sent, found
