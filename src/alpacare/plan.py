"""What the paid stages would ask today, worked out in memory from seeds and ledger alone.

Requests that follow from answers nobody has yet are estimated: as many tasks a reply as the replies
so far brought, or as the prompt asks for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from alpacare.errors import BadInput
from alpacare.filtering import Filter
from alpacare.preflight import Params, dependencies, read_params
from alpacare.rounds import Rounds
from alpacare.stages.asked import make_reference_requests
from alpacare.stages.filtered import read_tests
from alpacare.stages.responses import make_requests
from alpacare.stages.seeds import normalise, read_source
from alpacare.teacher.client import Find, look_up
from alpacare.teacher.ledger import Ledger, default_path
from alpacare.teacher.pack import read_pack
from alpacare.teacher.reply import Answer
from alpacare.teacher.request import Request
from alpacare.testsets import read_tests as read_test_set

PAID = ("instructions", "responses", "asked")
RECORDED = ("instructions", "responses")


@dataclass(frozen=True)
class Plan:
    """One paid stage: what is known of it, and about how many requests will come on top."""

    stage: str
    answered: list[Answer]
    missing: list[Request]
    asked: list[Request]  # every request that is known, answered or not
    expected: int  # requests that follow from answers yet to come, an estimate
    model: list[Request]  # what such a request looks like
    limit: int | None = None  # it asks on until enough survive, and so often at most


def make_plans() -> list[Plan]:
    """Plan every paid stage, in pipeline order.

    Raises:
        BadInput: settings, prompts, seeds or packs are wrong.
    """
    params = read_params()
    packs = {stage: dependencies(stage, "data/recordings/") for stage in RECORDED}
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
    tests = read_tests(tuple(dependencies("filtered", "data/tests")))
    (prompt,) = dependencies("instructions", "prompts/")
    rounds = Rounds(seeds, params.instructions, prompt, Filter(params.filtered, seeds))
    first = _write(rounds, find)
    if params.instructions.target_kept and (first.missing or first.expected):
        first = replace(first, limit=params.instructions.max_requests)
    tasks = list(rounds.tasks.values())
    sieve = Filter(params.filtered, seeds, tests)
    sieve.add(tasks)
    coming = len(first.missing) + first.expected
    more = round(rounds.a_reply * coming) if coming else 0
    (prompt,) = dependencies("responses", "prompts/")
    asked = make_requests(sieve.staying(tasks), params.responses, prompt)
    like = list(make_requests(seeds, params.responses, prompt))
    plans = [first, _look("responses", list(asked), find, more, like)]
    return [*plans, _references(params, find)] if params.references.asked else plans


def _references(params: Params, find: Find) -> Plan:
    """All references that are asked, on all test sets."""
    asked: list[Request] = []
    for test in params.tests:
        tests = read_test_set(dependencies("asked", "data/", test=test)[0])
        for name in params.references.asked:
            (prompt,) = dependencies("asked", "prompts/", reference=name)
            asked += make_reference_requests(prompt, tests)
    return _look("asked", asked, find, 0, [])


def _write(rounds: Rounds, find: Find) -> Plan:
    """Go through the rounds as far as there are answers."""
    asked: list[Request] = []
    found: list[Answer | Request] = []
    while rounds.answered == rounds.asked and (requests := rounds.next()):
        fresh = [look_up(request, find) for request in requests]
        rounds.take([each if isinstance(each, Answer) else None for each in fresh])
        asked += requests
        found += fresh
    return _sort("instructions", asked, found, rounds.expected)


def _look(
    stage: str, requests: list[Request], find: Find, expected: int, model: list[Request]
) -> Plan:
    found = [look_up(request, find) for request in requests]
    return _sort(stage, requests, found, expected, model)


def _sort(
    stage: str,
    asked: list[Request],
    found: Sequence[Answer | Request],
    expected: int,
    model: Sequence[Request] = (),
) -> Plan:
    return Plan(
        stage=stage,
        answered=[each for each in found if isinstance(each, Answer)],
        missing=[each for each in found if isinstance(each, Request)],
        asked=asked,
        expected=expected,
        model=asked or list(model),
    )


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
