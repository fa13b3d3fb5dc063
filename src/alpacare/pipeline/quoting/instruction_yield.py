"""How many tasks of a teacher's reply are kept, and so how much more will be asked."""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from alpacare.core import jsonl
from alpacare.filtering.filter import Filter
from alpacare.instructions.generation_loop import OVERSHOOT, GenerationLoop
from alpacare.instructions.settings import InstructionsSettings
from alpacare.llm.request import Request
from alpacare.pipeline import paths
from alpacare.pipeline.dvc_yaml import recorded_setting
from alpacare.pipeline.params import Params
from alpacare.pipeline.quoting.stage_plan import Coming, Plan
from alpacare.pipeline.quoting.usage_estimates import ENOUGH, SOME, YIELDS, Spread
from alpacare.records.dropped import Dropped
from alpacare.records.task import Instruction, Seed


def kept_per_reply(kept: Iterable[Instruction], replies: Iterable[str]) -> list[int]:
    """Count the kept tasks of each reply, by its ledger key."""
    counts = Counter(task.request for task in kept)
    return [counts[key] for key in replies]


def earlier_yield(params: Params, seeds: Sequence[Seed], seen: Collection[str]) -> list[int]:
    """Count what today's filter keeps of each reply of the last run; nothing if none is here.

    It counts for an edited prompt too, as long as a reply is asked for as many tasks. `seen` are
    the keys of replies that are counted already.
    """
    asked = params.instructions.tasks_per_request
    path = paths.rows("instructions")
    if not path.exists() or recorded_setting("instructions", "tasks_per_request") != asked:
        return []
    tasks = jsonl.read(path, Instruction, unique="id")
    dropped = paths.dropped("instructions")
    lost = jsonl.read(dropped, Dropped) if dropped.exists() else []
    task_filter = Filter(params.filtered, seeds)
    task_filter.add(tasks)
    replies = dict.fromkeys([task.request for task in tasks])
    replies |= dict.fromkeys(row.id.partition("/")[0] for row in lost)
    kept = task_filter.kept_tasks(tasks)
    return kept_per_reply(kept, [key for key in replies if key not in seen])


@dataclass(frozen=True)
class Yield:
    """Kept tasks a reply: of the replies that are known."""

    counts: Sequence[int]
    settings: InstructionsSettings

    @property
    def known(self) -> Spread | None:
        """The yield, once some replies are known."""
        return Spread.of(self.counts, YIELDS) if len(self.counts) >= SOME else None

    @property
    def sure(self) -> bool:
        """Whether enough are known for a likely number."""
        return len(self.counts) >= ENOUGH

    @property
    def most_a_reply(self) -> int:
        """The most tasks of one reply: as many as it is asked for, or as one has brought."""
        return max([self.settings.tasks_per_request, *self.counts])

    @property
    def usual(self) -> float:
        """Kept tasks a reply on average; without any reply, as many as it is asked for."""
        if not self.counts:
            return self.settings.tasks_per_request
        return sum(self.counts) / len(self.counts)

    def coming_requests(
        self, loop: GenerationLoop, missing: int, need: int | None, like: Sequence[Request]
    ) -> Coming:
        """Count the requests that follow those planned, of which `missing` have no answer.

        With a target, of which `need` tasks are lacking (None: there is no target): until it is
        reached, by the usual yield and by the least plausible one.
        """
        if need is None:
            return Coming(loop.expected_requests, loop.expected_requests, True, like)
        left = self.settings.max_requests - loop.answered
        if (known := self.known) is None or not known.mean:
            return Coming(loop.expected_requests, left - missing, False, like)
        spare = math.ceil(OVERSHOOT * loop.requested)
        likely = min(left, math.ceil(need / known.mean))
        most = min(left, known.count_at_most(need, left) + spare)
        return Coming(max(0, likely - missing), max(0, most - missing), self.sure, like)

    def coming_tasks(self, plan: Plan, need: int | None, like: Sequence[Request]) -> Coming:
        """Count the tasks that replies to come will bring; `need` is what a target still lacks."""
        replies = len(plan.missing) + plan.coming.most
        if not replies:
            return Coming()
        likely, known = round(self.usual * plan.to_ask), self.known
        most = replies * self.most_a_reply
        beyond = min(replies, self.settings.round_requests) * self.most_a_reply
        if known:
            most = min(most, math.ceil(known.sum_at_most(replies)))
            spare = math.ceil(OVERSHOOT * (len(plan.asked) + replies)) + 1
            beyond = math.ceil(known.margin(plan.to_ask) + spare * known.mean)
        if need is not None:
            most = min(most, max(0, need) + beyond)
        return Coming(min(likely, most), most, self.sure, like)
