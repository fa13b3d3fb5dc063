"""What the paid stages would ask today, worked out in memory from seeds and ledger alone.

Requests that follow from answers nobody has yet are estimated: as many tasks a reply as the replies
so far brought, or as the prompt asks for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.datasets.seed_files import normalise, read_source
from alpacare.filtering.filter import Filter
from alpacare.instructions.generation_loop import Rounds
from alpacare.judging.judge_request import find_replies, make_inquiries
from alpacare.judging.judges import JUDGES, AskedJudge, read_judge
from alpacare.llm.cache_pack import read_pack
from alpacare.llm.client import Find, look_up
from alpacare.llm.ledger import Ledger, default_path
from alpacare.llm.reply import Answer
from alpacare.llm.request import Request
from alpacare.llm.task_requests import make_requests
from alpacare.pipeline.check import EXAMPLE
from alpacare.pipeline.dvc_yaml import dependencies, rows_path
from alpacare.pipeline.params import Params, read_params
from alpacare.pipeline.sources import passed
from alpacare.records.generation import Generation
from alpacare.records.pairs import pair_up
from alpacare.records.shown_pair import Case, make_cases
from alpacare.records.task import AnyTask, Question, TestTask
from alpacare.records.test_set import read_tests as read_test_set
from alpacare.stages.asked import make_reference_requests
from alpacare.stages.categories import make_sorting_requests
from alpacare.stages.filtered import read_tests

PAID = ("instructions", "responses", "categories", "asked", "judgments")
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
    plans = [] if "responses" in passed(params) else _plan_writing(params, find)
    if params.categories:
        plans.append(_categories(params, find, plans))
    if params.references.asked:
        plans.append(_references(params, find))
    if judges := asked_judges(params):
        changing = any(plan.missing or plan.expected for plan in plans)
        plans.append(_judgments(params, judges, find, changing))
    return plans


def _plan_writing(params: Params, find: Find) -> list[Plan]:
    """What the teacher writes; of instructions that were brought in only the answers."""
    plans: list[Plan] = []
    tasks: Sequence[Question]
    more = 0
    source = dependencies("seeds", "data/")[0]
    seeds = normalise(read_source(source), source)[: params.seeds.take]
    tests = read_tests(tuple(dependencies("filtered", "data/tests")))
    if "instructions" in passed(params):
        tasks = jsonl.read(dependencies("filtered", "data/imported/")[0], AnyTask, unique="id")
    else:
        (prompt,) = dependencies("instructions", "prompts/")
        rounds = Rounds(seeds, params.instructions, prompt, Filter(params.filtered, seeds))
        first = _write(rounds, find)
        if params.instructions.target_kept and (first.missing or first.expected):
            first = replace(first, limit=params.instructions.max_requests)
        plans.append(first)
        tasks = list(rounds.tasks.values())
        if coming := len(first.missing) + first.expected:
            more = round(rounds.a_reply * coming)
    sieve = Filter(params.filtered, seeds, tests)
    sieve.add(tasks)
    (prompt,) = dependencies("responses", "prompts/")
    asked = make_requests(sieve.staying(tasks), params.responses, prompt)
    like = list(make_requests(seeds, params.responses, prompt))
    return [*plans, _look("responses", list(asked), find, more, like)]


def _categories(params: Params, find: Find, before: Sequence[Plan]) -> Plan:
    """All sorters, on what the student learns from; of rows to come only the number is known."""
    coming = 0 if not before else len(before[-1].missing) + before[-1].expected
    path = dependencies("categories", "data/")[0]
    rows = jsonl.read(path, AnyTask, unique="id") if path.exists() and not coming else []
    prompts = [dependencies("categories", "prompts/", sorter=s)[0] for s in params.categories]
    asked = [request for prompt in prompts for request in make_sorting_requests(prompt, rows)]
    like = [each for prompt in prompts for each in make_sorting_requests(prompt, [EXAMPLE])]
    return _look("categories", asked, find, coming * len(prompts), like)


def _references(params: Params, find: Find) -> Plan:
    """All references that are asked, on all test sets."""
    asked: list[Request] = []
    for test in params.tests:
        tests = read_test_set(dependencies("asked", "data/", test=test)[0])
        for name in params.references.asked:
            (prompt,) = dependencies("asked", "prompts/", reference=name)
            asked += make_reference_requests(prompt, tests)
    return _look("asked", asked, find, 0, [])


def asked_judges(params: Params) -> dict[str, AskedJudge]:
    """Read the judges that are asked, by name."""
    judges = {name: read_judge(name) for name in params.judgments.judges}
    return {name: judge for name, judge in judges.items() if isinstance(judge, AskedJudge)}


def _judgments(
    params: Params, judges: Mapping[str, AskedJudge], find: Find, changing: bool
) -> Plan:
    """All judges that are asked, in all their cells.

    Of cells without answers only the number is known; of all while answers before are `changing`.
    """
    asked: list[Request] = []
    found: list[Answer | Request] = []
    model: list[Request] = []
    expected = 0
    for test, reference, name in params.cells():
        if name in judges:
            cases, there = _cases(test, reference, name)
            inquiries = make_inquiries(judges[name], JUDGES / name, cases)
            if there and not changing:
                more = find_replies(inquiries, find)
                asked, found = asked + more[0], found + more[1]
            else:
                expected += len(inquiries)
                model += [inquiry.request() for inquiry in inquiries]
    return _sort("judgments", asked, found, expected, model)


def _cases(test: str, reference: str, judge: str) -> tuple[list[Case], bool]:
    """Give a cell's cases, and whether they are real: else answers of that kind stand in."""
    item = {"test": test, "reference": reference, "judge": judge}
    generations = rows_path("judgments", "data/generations/", **item)
    answers = rows_path("judgments", "data/references/", **item)
    if generations.exists() and answers.exists():
        return make_cases(pair_up(generations, answers)), True
    tests = read_test_set(dependencies("judgments", "data/tests/", **item)[0])
    return make_cases([(_stand_in(task), _stand_in(task)) for task in tests]), False


def _stand_in(test: TestTask) -> Generation:
    """Give an answer as long as the longest that is written."""
    return Generation(
        id=test.id,
        instruction=test.instruction,
        input=test.input,
        output=max(test.answers.values(), key=len, default=""),
        generator="",
        finish_reason="unknown",
    )


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
            if plan.stage == "judgments" and plan.expected:
                raise BadInput(
                    "answers that were judged are missing here, so which judgments are used cannot "
                    "be told; run `dvc checkout` or `dvc pull` first"
                )
            keys |= {request.key() for request in plan.asked}
            keys |= {answer.key for answer in plan.answered}
    return keys
