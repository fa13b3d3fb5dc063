"""What the teacher is asked for new tasks, round by round, and what came of it.

Every request shows its own hand of seeds, dealt like cards. Which hand a request gets follows from
its number and, with `machine_examples`, from the tasks kept in the rounds before its own: never
from the order in which answers arrive, nor from where an earlier run stopped.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import Field, model_validator

from alpacare.filtering.filter import Filter
from alpacare.instructions.few_shot_sampler import Deck, drawn
from alpacare.instructions.reply_parser import parse_reply
from alpacare.instructions.task_schema import RESPONSE_FORMAT
from alpacare.llm.endpoints import read_endpoint
from alpacare.llm.reply import Answer
from alpacare.llm.request import Request
from alpacare.llm.request_settings import AskingSettings
from alpacare.prompting.templates import render_chat
from alpacare.records.dropped import Dropped
from alpacare.records.task import Instruction, Seed, Task, TaskType, row_id

_OVERSHOOT = 0.02  # of the requests so far


class InstructionsSettings(AskingSettings):
    """Section `instructions` of params.yaml."""

    requests: int = Field(gt=0)
    target_kept: int | None = Field(gt=0)
    max_requests: int = Field(gt=0)
    round_requests: int = Field(gt=0)
    tasks_per_request: int = Field(gt=0)
    seeds_per_request: int = Field(gt=0)
    machine_examples: int = Field(ge=0)
    format: Literal["text", "json_schema"]
    seed: int
    top_p: float | None = Field(gt=0, le=1)

    @model_validator(mode="after")
    def _some_seeds_are_left(self) -> Self:
        if self.machine_examples >= self.seeds_per_request:
            raise ValueError(
                f"machine_examples: {self.machine_examples} of {self.seeds_per_request} examples "
                "leave no room for a seed"
            )
        return self


@dataclass(frozen=True)
class Hand:
    """The examples that request `number` shows."""

    number: int
    examples: tuple[Task, ...]

    @property
    def names(self) -> str:
        """The examples' ids, for people and for telling hands apart."""
        return ", ".join(task.id for task in self.examples)


class Rounds:
    """Gives requests and takes their answers until there are enough.

        while requests := rounds.next():
            rounds.take(ask(requests))

    `tasks` are those read so far, by id; `lost` is what could not be read.
    """

    def __init__(
        self,
        seeds: Sequence[Seed],
        settings: InstructionsSettings,
        prompt: Path,
        sieve: Filter,
    ) -> None:
        """Begin.

        Raises:
            BadInput: fewer seeds than one hand needs.
        """
        self.tasks: dict[str, Instruction] = {}
        self.lost: list[Dropped] = []
        self.asked = 0
        self.answered = 0
        self.stalled = False  # a whole round brought nothing that survives
        self._settings = settings
        self._prompt = prompt
        self._endpoint = read_endpoint(settings.endpoint)
        self._sieve = sieve
        self._unseen: list[Instruction] = []  # by the filter
        self._deck = Deck(seeds, settings.seed)
        self._deck.check(settings.seeds_per_request)
        self._pool: list[Instruction] = []  # what machine examples are drawn from
        self._dealt: Counter[str] = Counter()
        self._hands: list[Hand] = []

    def next(self) -> list[Request]:
        """Give the requests to ask now; none when there are enough."""
        numbers = range(self.asked, self.asked + self._size())
        self._hands = [self._deal(number) for number in numbers]
        return [self._request(hand) for hand in self._hands]

    def take(self, answers: Sequence[Answer | None]) -> None:
        """Take the answers to the requests given last, in their order; None: not there yet."""
        fresh: list[Instruction] = []
        for answer, hand in zip(answers, self._hands, strict=True):
            if answer:
                self.answered += 1
                fresh += self._read(answer, hand)
        self.asked += len(answers)
        self._unseen += fresh
        filtered = self._settings.target_kept is not None or self._settings.machine_examples
        if filtered and self.asked % self._settings.round_requests == 0:
            survivors = self.survivors()
            # answers that are still missing, in a quote, say nothing
            self.stalled = None not in answers and len(survivors) <= len(self._pool)
            self._pool = survivors

    def survivors(self) -> list[Instruction]:
        """Give the tasks read so far that the filter keeps."""
        return self._filter().staying(self.tasks.values())

    def _filter(self) -> Filter:
        """Let the filter catch up; where nothing depends on it, it is never asked."""
        if self._unseen:
            self._sieve.add(self._unseen)
            self._unseen = []
        return self._sieve

    @property
    def expected(self) -> int:
        """How many more requests it will take, by what the answers so far have brought."""
        settings = self._settings
        if settings.target_kept is None:
            return settings.requests - self.asked
        left = settings.max_requests - self.asked
        missing = settings.target_kept - self._filter().kept
        if missing <= 0 or self.stalled:
            return 0
        if not self.a_reply:
            return left
        # a little more than that, or the last few tasks would be asked for one by one
        needed = max(math.ceil(missing / self.a_reply), math.ceil(_OVERSHOOT * self.asked))
        return max(0, min(left, needed - (self.asked - self.answered)))

    @property
    def a_reply(self) -> float:
        """How many tasks that survive a reply brings."""
        if not self.answered:
            return self._settings.tasks_per_request
        return self._filter().kept / self.answered

    def _size(self) -> int:
        if self._settings.target_kept is None and not self._settings.machine_examples:
            return self.expected
        to_the_border = self._settings.round_requests - self.asked % self._settings.round_requests
        return min(self.expected, to_the_border)

    def _deal(self, number: int) -> Hand:
        machine = min(self._settings.machine_examples, len(self._pool))
        seeds = self._deck.deal(self._settings.seeds_per_request - machine)
        return Hand(number, (*seeds, *drawn(self._pool, machine, self._settings.seed, number)))

    def _request(self, hand: Hand) -> Request:
        """Put a hand into the prompt; a hand that was dealt before is a new sample."""
        settings = self._settings
        sample = self._dealt[hand.names]
        self._dealt[hand.names] += 1
        values: dict[str, Any] = {
            "examples": hand.examples,
            "count": settings.tasks_per_request,
            "types": get_args(TaskType),
            "format": settings.format,
        }
        return settings.request(
            self._endpoint,
            render_chat(self._prompt, values),
            label=f"request {hand.number + 1}, examples {hand.names}",
            sample=sample,
            top_p=settings.top_p,
            response_format=RESPONSE_FORMAT if settings.format == "json_schema" else None,
        )

    def _read(self, answer: Answer, hand: Hand) -> Iterator[Instruction]:
        """Read the tasks out of a reply; a task seen before is lost, with its twin's name."""
        for task in parse_reply(answer.text, answer.finish_reason):
            name = f"{answer.key}/{task.index}"
            if task.reason:
                self._lose(name, task.reason, task.text)
                continue
            id = row_id(task.fields["instruction"], task.fields["input"])
            if id in self.tasks:
                self._lose(name, "same_task", id)
                continue
            self.tasks[id] = Instruction(
                id=id,
                **task.fields,
                request=answer.key,
                index=task.index,
                seeds=[example.id for example in hand.examples],
            )
            yield self.tasks[id]

    def _lose(self, name: str, reason: str, witness: str) -> None:
        self.lost.append(Dropped(id=name, stage="instructions", reason=reason, witness=witness))
