"""What the paid stages would ask today, computed in memory from seeds and ledger.

Requests that depend on answers yet to come are estimated: as many tasks a reply as those so far
brought, or as the prompt asks for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.datasets.seed_files import read_seeds
from alpacare.filtering.filter import Filter
from alpacare.instructions.generation_loop import GenerationLoop
from alpacare.judging.judge_request import find_replies, make_judge_requests
from alpacare.judging.judges import LLMJudge, read_judge
from alpacare.llm.cache_pack import read_pack
from alpacare.llm.client import FindAnswer, look_up
from alpacare.llm.ledger import Ledger, default_path
from alpacare.llm.reply import Answer
from alpacare.llm.request import Request
from alpacare.llm.task_requests import make_folder_requests, make_requests
from alpacare.pipeline import paths
from alpacare.pipeline.check import EXAMPLE
from alpacare.pipeline.dvc_yaml import dependencies
from alpacare.pipeline.params import Params, read_params
from alpacare.pipeline.sources import skipped_stages
from alpacare.records.generation import Generation
from alpacare.records.pairs import pair_answers
from alpacare.records.shown_pair import ShownPair, show_both_orders
from alpacare.records.task import AnyTask, Question, TestTask
from alpacare.records.test_set import read_test_set
from alpacare.stages.filtered import read_test_sets

PAID = ("instructions", "responses", "categories", "references", "judgments")


@dataclass(frozen=True)
class Plan:
    """The requests of one paid stage: those that are known, and about how many will follow."""

    stage: str
    answered: list[Answer]
    missing: list[Request]
    asked: list[Request]  # all that are known, answered or not
    expected: int  # requests that depend on answers yet to come, an estimate
    model: list[Request]  # examples of such requests
    limit: int | None = None  # with a target: the most requests it may take


def make_plans() -> list[Plan]:
    """Plan every paid stage, in pipeline order.

    Raises:
        BadInput: settings, prompts, seeds or packs are wrong.
    """
    params = read_params()
    stages = ("instructions", "responses")
    packs = [pack for stage in stages for pack in dependencies(stage, "data/recordings/")]
    with Ledger(default_path()) as ledger:
        recorded = {entry.key: entry.answer() for pack in packs for entry in read_pack(pack)}

        def find(key: str) -> Answer | None:
            return recorded.get(key) or ledger.get(key)

        plans = [] if "responses" in skipped_stages(params) else _plan_teacher(params, find)
        if params.categories:
            plans.append(_categories(params, find, plans))
        if params.references.api:
            plans.append(_references(params, find))
        if judges := asked_judges(params):
            changing = any(plan.missing or plan.expected for plan in plans)
            plans.append(_judgments(params, judges, find, changing))
    return plans


def _plan_teacher(params: Params, find: FindAnswer) -> list[Plan]:
    """Plan what the teacher writes: for imported instructions the answers only."""
    plans: list[Plan] = []
    tasks: Sequence[Question]
    more = 0
    source = dependencies("seeds", "data/")[0]
    seeds = read_seeds(source)[: params.seeds.take]
    tests = read_test_sets(tuple(dependencies("filtered", "data/tests")))
    if "instructions" in skipped_stages(params):
        tasks = jsonl.read(dependencies("filtered", "data/imported/")[0], AnyTask, unique="id")
    else:
        (prompt,) = dependencies("instructions", "prompts/")
        loop = GenerationLoop(seeds, params.instructions, prompt, Filter(params.filtered, seeds))
        first = _plan_instructions(loop, find)
        if params.instructions.target_kept and (first.missing or first.expected):
            first = replace(first, limit=params.instructions.max_requests)
        plans.append(first)
        tasks = list(loop.tasks.values())
        if coming := len(first.missing) + first.expected:
            more = round(loop.kept_per_reply * coming)
    task_filter = Filter(params.filtered, seeds, tests)
    task_filter.add(tasks)
    (prompt,) = dependencies("responses", "prompts/")
    asked = make_requests(task_filter.kept_tasks(tasks), params.responses, prompt)
    like = list(make_requests(seeds, params.responses, prompt))
    return [*plans, _plan_requests("responses", list(asked), find, more, like)]


def _categories(params: Params, find: FindAnswer, before: Sequence[Plan]) -> Plan:
    """Plan all sorters, on the training rows; of rows yet to come only the number is known."""
    coming = 0 if not before else len(before[-1].missing) + before[-1].expected
    path = dependencies("categories", "data/")[0]
    rows = jsonl.read(path, AnyTask, unique="id") if path.exists() and not coming else []
    prompts = [dependencies("categories", "prompts/", sorter=s)[0] for s in params.categories]
    asked = [request for prompt in prompts for request in make_folder_requests(prompt, rows)]
    like = [each for prompt in prompts for each in make_folder_requests(prompt, [EXAMPLE])]
    return _plan_requests("categories", asked, find, coming * len(prompts), like)


def _references(params: Params, find: FindAnswer) -> Plan:
    """Plan all references behind an API, on all test sets."""
    (prompts,) = dependencies("references", "prompts/")
    asked = [
        request
        for test in params.tests
        for name in params.references.api
        for request in make_folder_requests(prompts / name, read_test_set(paths.test_set(test)))
    ]
    return _plan_requests("references", asked, find, 0, [])


def asked_judges(params: Params) -> dict[str, LLMJudge]:
    """Read the judges that are models behind an API, by name."""
    judges = {name: read_judge(paths.judge(name)) for name in params.judgments.judges}
    return {name: judge for name, judge in judges.items() if isinstance(judge, LLMJudge)}


def _judgments(
    params: Params, judges: Mapping[str, LLMJudge], find: FindAnswer, changing: bool
) -> Plan:
    """Plan all judges behind an API.

    Where answers are missing, or an earlier stage will change them, only the number is known.
    """
    asked: list[Request] = []
    found: list[Answer | Request] = []
    model: list[Request] = []
    expected = 0
    for test, reference in product(params.tests, params.judgments.references):
        cases, real = _cases(test, reference)
        for name, judge in judges.items():
            requests = make_judge_requests(judge, paths.judge(name), cases)
            if real and not changing:
                known, replies = find_replies(requests, find)
                asked += known
                found += replies
            else:
                expected += len(requests)
                model += [each.next_request() for each in requests]
    return _make_plan("judgments", asked, found, expected, model)


def _cases(test: str, reference: str) -> tuple[list[ShownPair], bool]:
    """Show the answers of student and reference, and whether they are real or placeholders."""
    generations, answers = paths.generations(test), paths.reference(test, reference)
    if generations.exists() and answers.exists():
        return show_both_orders(pair_answers(generations, answers)), True
    placeholders = map(_placeholder, read_test_set(paths.test_set(test)))
    return show_both_orders([(each, each) for each in placeholders]), False


def _placeholder(test: TestTask) -> Generation:
    """Give an answer as long as the longest in the test set."""
    return Generation(
        **test.model_dump(include={"id", "instruction", "input"}),
        output=max(test.answers.values(), key=len, default=""),
        generator="",
        finish_reason="unknown",
    )


def _plan_instructions(loop: GenerationLoop, find: FindAnswer) -> Plan:
    """Go through the rounds of the generation loop as far as there are answers."""
    asked: list[Request] = []
    found: list[Answer | Request] = []
    while loop.answered == loop.requested and (requests := loop.next_requests()):
        fresh = [look_up(request, find) for request in requests]
        loop.add_answers([each if isinstance(each, Answer) else None for each in fresh])
        asked += requests
        found += fresh
    return _make_plan("instructions", asked, found, loop.expected_requests)


def _plan_requests(
    stage: str, requests: list[Request], find: FindAnswer, expected: int, model: list[Request]
) -> Plan:
    found = [look_up(request, find) for request in requests]
    return _make_plan(stage, requests, found, expected, model)


def _make_plan(
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
