"""LLM judges that compare: ask through the ledger, read the verdict, ask again where there is none.

The ledger holds replies only, not the verdicts read from them: better reading, or one more try, can
give a verdict where there was none.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from alpacare.judging.dialogue import Dialogue
from alpacare.judging.judges import LLMJudge
from alpacare.judging.verdicts.reading import Reading, read_verdict
from alpacare.llm.endpoints import read_endpoint
from alpacare.llm.reply import Answer
from alpacare.llm.request import Request
from alpacare.prompting.judge_prompt import JudgePrompt
from alpacare.records.judgment import Judgment
from alpacare.records.shown_pair import ShownPair


@dataclass
class JudgeRequest:
    """One sample of a judge's verdict on one pair: what to ask, and what its replies say."""

    pair: ShownPair
    judge: LLMJudge
    dialogue: Dialogue
    reading: Reading = field(default_factory=lambda: Reading(None))

    @property
    def replies(self) -> list[Answer]:
        """The replies so far."""
        return self.dialogue.replies

    @property
    def pending(self) -> bool:
        """Whether to ask, or to ask again."""
        return self.reading.slot is None and self.dialogue.can_go_on

    def next_request(self) -> Request:
        """Make the next request."""
        return self.dialogue.next_request()

    def add_reply(self, reply: Answer) -> None:
        """Add the reply to the last request, and read its verdict."""
        self.replies.append(reply)
        cut = reply.finish_reason == "length"
        self.reading = read_verdict(reply.whole, self.judge.verdict, self.pair.as_shown(), cut=cut)

    def judgment(self) -> Judgment:
        """Give the judgment, with the last reply that has a text."""
        last = self.dialogue.last_reply
        first_is_model = self.pair.order == "model_first"
        return Judgment(
            id=self.pair.model.id,
            order=self.pair.order,
            verdict=self.pair.verdict(self.reading.slot),
            raw=last.whole,
            request=last.key,
            sample=self.dialogue.sample,
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
    endpoint, structure = read_endpoint(judge.endpoint), judge.structure()
    return [
        JudgeRequest(
            pair,
            judge,
            Dialogue(judge, endpoint, text, _label(folder.name, pair), structure, sample),
        )
        for pair, text in zip(shown, texts, strict=True)
        for sample in range(judge.samples)
    ]


def _label(judge: str, pair: ShownPair) -> str:
    return f"{judge} on {pair.model.id} against {pair.reference.generator}, {pair.order}"
