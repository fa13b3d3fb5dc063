"""The generation loop: requests for new tasks, round by round, until enough tasks are kept.

Every request shows its own few-shot examples. Which ones follows from the request's number and,
with `machine_examples`, from the tasks kept in earlier rounds: never from the order in which
answers arrive, nor from where an earlier run stopped.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from alpacare.filtering.filter import Filter
from alpacare.instructions.few_shot_sampler import FewShotSampler, sample_from_pool
from alpacare.instructions.reply_parser import parse_reply
from alpacare.instructions.settings import InstructionsSettings
from alpacare.instructions.task_schema import RESPONSE_FORMAT
from alpacare.llm.endpoints import read_endpoint
from alpacare.llm.reply import Answer
from alpacare.llm.request import Request
from alpacare.prompting.chat_prompt import ChatPrompt
from alpacare.prompting.variables import few_shot
from alpacare.records.dropped import Dropped
from alpacare.records.task import Instruction, Seed, Task, TaskType, row_id, same_task_key

OVERSHOOT = 0.02  # of the requests so far


@dataclass(frozen=True)
class Examples:
    """The few-shot examples of request `number`."""

    number: int
    tasks: tuple[Task, ...]

    @property
    def ids(self) -> str:
        """The tasks' ids as one text."""
        return ", ".join(task.id for task in self.tasks)


class GenerationLoop:
    """Gives requests and reads their answers until there are enough tasks.

        while requests := loop.next_requests():
            loop.add_answers(ask(requests))

    `tasks` are those read so far, by `same_task_key`; `dropped` is what could not be read.
    """

    def __init__(
        self,
        seeds: Sequence[Seed],
        settings: InstructionsSettings,
        prompt: Path,
        task_filter: Filter,
    ) -> None:
        """Start without tasks.

        Raises:
            BadInput: fewer seeds than one request needs; the prompt is wrong.
        """
        self.tasks: dict[str, Instruction] = {}
        self.dropped: list[Dropped] = []
        self.requested = 0
        self.answered = 0
        self.stalled = False  # no task of the last whole round was kept
        self._settings = settings
        variables = few_shot(settings.seeds_per_request, settings.tasks_per_request)
        self._prompt = ChatPrompt.read(prompt, variables)
        self._endpoint = read_endpoint(settings.endpoint)
        self._filter = task_filter
        self._unfiltered: list[Instruction] = []
        self._sampler = FewShotSampler(seeds, settings.seed)
        self._sampler.check_size(settings.seeds_per_request)
        self._pool: list[Instruction] = []  # what machine examples are sampled from
        self._times_asked: Counter[str] = Counter()  # by the key of the first sample
        self._examples: list[Examples] = []  # of the requests given last

    def next_requests(self) -> list[Request]:
        """Give the requests to send now; none when there are enough tasks."""
        numbers = range(self.requested, self.requested + self._round_size())
        self._examples = [self._sample_examples(number) for number in numbers]
        return [self._request(examples) for examples in self._examples]

    def add_answers(self, answers: Sequence[Answer | None]) -> None:
        """Read the answers to the requests given last, in their order; None: still missing."""
        fresh: list[Instruction] = []
        for answer, examples in zip(answers, self._examples, strict=True):
            if answer:
                self.answered += 1
                fresh += self._read(answer, examples)
        self.requested += len(answers)
        self._unfiltered += fresh
        filtered = self._settings.target_kept is not None or self._settings.machine_examples
        if filtered and self.requested % self._settings.round_requests == 0:
            kept = self.kept_tasks()
            # a quote lacks some answers, which says nothing about the round
            self.stalled = None not in answers and len(kept) <= len(self._pool)
            self._pool = kept

    def kept_tasks(self) -> list[Instruction]:
        """Give the tasks read so far that the filter keeps."""
        return self._updated_filter().kept_tasks(self.tasks.values())

    def _updated_filter(self) -> Filter:
        """Filter the new tasks; not called at all where nothing depends on it."""
        if self._unfiltered:
            self._filter.add(self._unfiltered)
            self._unfiltered = []
        return self._filter

    @property
    def expected_requests(self) -> int:
        """How many more requests it will take, estimated from the answers so far."""
        settings = self._settings
        if settings.target_kept is None:
            return settings.requests - self.requested
        left = settings.max_requests - self.requested
        missing = settings.target_kept - self._updated_filter().kept
        if missing <= 0 or self.stalled:
            return 0
        if not self.kept_per_reply:
            return left
        # a little more than needed, or the last few tasks would be requested one by one
        needed = max(
            math.ceil(missing / self.kept_per_reply), math.ceil(OVERSHOOT * self.requested)
        )
        return max(0, min(left, needed - (self.requested - self.answered)))

    @property
    def kept_per_reply(self) -> float:
        """How many tasks of a reply are kept, on average."""
        if not self.answered:
            return self._settings.tasks_per_request
        return self._updated_filter().kept / self.answered

    def _round_size(self) -> int:
        size = self._settings.round_requests
        if self._settings.target_kept is None and not self._settings.machine_examples:
            return self.expected_requests
        return min(self.expected_requests, size - self.requested % size)

    def _sample_examples(self, number: int) -> Examples:
        settings = self._settings
        count = min(settings.machine_examples, len(self._pool))
        seeds = self._sampler.sample(settings.seeds_per_request - count)
        machine = sample_from_pool(self._pool, count, settings.seed, number)
        return Examples(number, (*seeds, *machine))

    def _request(self, examples: Examples) -> Request:
        """Put examples into the prompt; the same request once more is a new sample."""
        settings = self._settings
        values: dict[str, Any] = {
            "examples": examples.tasks,
            "count": settings.tasks_per_request,
            "types": get_args(TaskType),
            "format": settings.format,
        }
        request = settings.request(
            self._endpoint,
            self._prompt.fill(values),
            label=f"request {examples.number + 1}, examples {examples.ids}",
            top_p=settings.top_p,
            response_format=RESPONSE_FORMAT if settings.format == "json_schema" else None,
        )
        sample = self._times_asked[request.key()]
        self._times_asked[request.key()] += 1
        return replace(request, sample=sample)

    def _read(self, answer: Answer, examples: Examples) -> Iterator[Instruction]:
        """Read the tasks out of a reply; a repeated task is dropped, with the first as witness."""
        if answer.refusal:  # in a field of its own: what came beside it is no task
            self._drop(f"{answer.key}/0", "refused", answer.refusal)
            return
        for task in parse_reply(answer.text, answer.finish_reason):
            name = f"{answer.key}/{task.index}"
            if task.reason:
                self._drop(name, task.reason, task.text or answer.whole)
                continue
            key = same_task_key(task.fields["instruction"], task.fields["input"])
            if key in self.tasks:
                self._drop(name, "same_task", self.tasks[key].id)
                continue
            self.tasks[key] = Instruction(
                id=row_id(task.fields["instruction"], task.fields["input"]),
                **task.fields,
                request=answer.key,
                index=task.index,
                seeds=[example.id for example in examples.tasks],
            )
            yield self.tasks[key]

    def _drop(self, name: str, reason: str, witness: str) -> None:
        self.dropped.append(Dropped(id=name, stage="instructions", reason=reason, witness=witness))
