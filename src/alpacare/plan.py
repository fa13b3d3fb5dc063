"""What the paid stages would ask today, worked out in memory from seeds and ledger alone.

Requests that follow from answers nobody has yet are estimated: as many tasks a reply as the replies
so far brought, or as the prompt asks for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from alpacare.errors import BadInput
from alpacare.preflight import Params, dependencies, read_params
from alpacare.records.task import Instruction, Seed
from alpacare.stages.filtered import sift
from alpacare.stages.instructions import deal, make_requests, read_answers
from alpacare.stages.responses import make_requests as make_answer_requests
from alpacare.stages.seeds import normalise, read_source
from alpacare.teacher.client import Find, look_up
from alpacare.teacher.ledger import Ledger, default_path
from alpacare.teacher.pack import read_pack
from alpacare.teacher.reply import Answer
from alpacare.teacher.request import Request

PAID = ("instructions", "responses")


@dataclass(frozen=True)
class Plan:
    """One paid stage: what is known of it, and about how many requests will come on top."""

    stage: str
    answered: list[Answer]
    missing: list[Request]
    asked: list[Request]  # every request that is known, answered or not
    expected: int  # requests that follow from answers yet to come, an estimate
    model: list[Request]  # what such a request looks like


def make_plans() -> list[Plan]:
    """Plan every paid stage, in pipeline order.

    Raises:
        BadInput: settings, prompts, seeds or packs are wrong.
    """
    params = read_params()
    packs = {stage: dependencies(stage, "data/recordings/") for stage in PAID}
    with Ledger(default_path()) as ledger:
        told: dict[str, Answer] = {}
        for pack in (pack for paths in packs.values() for pack in paths):
            told |= {entry.key: entry.answer() for entry in read_pack(pack)}

        def find(key: str) -> Answer | None:
            return told.get(key) or ledger.get(key)

        return _plan(params, find)


def _plan(params: Params, find: Find) -> list[Plan]:
    source = dependencies("seeds", "data/")[0]
    seeds = normalise(read_source(source), source)[: params.seeds.take]
    hands = deal(seeds, params.instructions, source)
    (prompt,) = dependencies("instructions", "prompts/")
    first = _look("instructions", make_requests(hands, params.instructions, prompt), find)
    tasks, more = _tasks(params, hands, first, find)
    (prompt,) = dependencies("responses", "prompts/")
    asked = list(make_answer_requests(tasks, params.responses, prompt))
    like = list(make_answer_requests(seeds, params.responses, prompt))
    return [first, _look("responses", asked, find, more, like)]


def _look(
    stage: str,
    requests: Sequence[Request],
    find: Find,
    expected: int = 0,
    model: Sequence[Request] = (),
) -> Plan:
    found = [look_up(request, find) for request in requests]
    return Plan(
        stage=stage,
        answered=[each for each in found if isinstance(each, Answer)],
        missing=[each for each in found if isinstance(each, Request)],
        asked=list(requests),
        expected=expected,
        model=list(requests) or list(model),
    )


def _tasks(
    params: Params, hands: Sequence[Sequence[Seed]], plan: Plan, find: Find
) -> tuple[list[Instruction], int]:
    """Read and filter the tasks that are there; estimate how many more will come."""
    pairs = [
        (look_up(request, find), hand) for request, hand in zip(plan.asked, hands, strict=True)
    ]
    known = [(answer, hand) for answer, hand in pairs if isinstance(answer, Answer)]
    tasks, _ = read_answers([answer for answer, _ in known], [hand for _, hand in known])
    kept, _ = sift(tasks, params.filtered)
    a_reply = len(kept) / len(known) if known else params.instructions.tasks_per_request
    return kept, round(a_reply * len(plan.missing))


def used_keys(stage: str | None) -> set[str]:
    """Give the ledger keys that today's pipeline uses, of one paid stage or of all.

    A reply that was cut off and asked for again is used too.

    Raises:
        BadInput: there is no such stage.
    """
    if stage not in (None, *PAID):
        raise BadInput(f"no paid stage '{stage}'; there are {', '.join(PAID)}")
    keys: set[str] = set()
    for plan in make_plans():
        if stage in (None, plan.stage):
            keys |= {request.key() for request in plan.asked}
            keys |= {answer.key for answer in plan.answered}
    return keys
