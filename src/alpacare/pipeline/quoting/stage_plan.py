"""The requests of one paid stage: known or to come, answered or not."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from alpacare.llm.reply import Answer
from alpacare.llm.request import Request
from alpacare.pipeline.quoting.usage_estimates import Usage, measure

_SAMPLE = 2000  # answers measured, spread evenly over those that are known


@dataclass(frozen=True)
class Coming:
    """Requests that depend on answers yet to come: a likely number, and the most."""

    likely: int = 0
    most: int = 0
    sure: bool = True  # False: too little is known for the likely number to be shown as such
    like: Sequence[Request] = ()  # as expensive as these on average, or as `most` of them


@dataclass(frozen=True)
class Plan:
    """The requests of a paid stage to one model for one purpose, say one judge's."""

    stage: str
    who: str = ""  # of several in a stage: the judge, the model, the sorter
    asked: list[Request] = field(default_factory=list)  # all that can be made, answered or not
    known: list[tuple[Request, list[Answer]]] = field(default_factory=list)
    others: list[tuple[Request, list[Answer]]] = field(default_factory=list)  # no longer asked
    missing: list[Request] = field(default_factory=list)  # each once
    coming: Coming = field(default_factory=Coming)
    earlier: list[Usage] = field(
        default_factory=list
    )  # of answers to another version of the prompt
    tries: int = 1  # how often a request may be asked again
    reminder: int = 0  # bytes that each further try adds, beside the reply
    note: str = ""  # for people: what the numbers rest on

    @property
    def answers(self) -> list[Answer]:
        """Every known answer."""
        return [answer for _, answers in self.known for answer in answers]

    @property
    def examples(self) -> list[Request]:
        """Requests without an answer, made or like those to come: all ask one model."""
        return [*self.missing, *self.coming.like]

    @property
    def to_ask(self) -> int:
        """The likely number of requests without an answer."""
        return len(self.missing) + self.coming.likely

    def usage(self) -> list[Usage]:
        """Measure what the known answers took."""
        pairs = [*self.known, *self.others]
        return [measure(*pair) for pair in pairs[:: len(pairs) // _SAMPLE + 1]]
