"""What models and judges behind an API would be asked for the evaluation.

A test set that is not here yet counts by its rows in configs/datasets.yaml. Answers yet to come are
taken to be as long as their settings allow.
"""

from dataclasses import replace

from alpacare.judging.dialogue import find_replies
from alpacare.judging.judge_request import make_judge_requests
from alpacare.judging.judges import LLMJudge, read_judge
from alpacare.llm.reply import Answer
from alpacare.llm.request import Request
from alpacare.llm.task_requests import make_folder_requests
from alpacare.pipeline import paths
from alpacare.pipeline.dvc_yaml import dependencies
from alpacare.pipeline.params import Params
from alpacare.pipeline.quoting.judged_pairs import Pairs
from alpacare.pipeline.quoting.known_answers import KnownAnswers
from alpacare.pipeline.quoting.plan_teaching import Teaching
from alpacare.pipeline.quoting.stage_plan import Coming, Plan
from alpacare.pipeline.quoting.test_sets import TestSets

_TURN = 80  # bytes that JSON adds to a reply and a reminder


def plan_evaluation(params: Params, known: KnownAnswers, teaching: Teaching) -> list[Plan]:
    """Plan all models and judges behind an API, on all test sets."""
    judges = asked_judges(params)
    if not (judges or params.models.api):
        return []
    tests = TestSets.read(params.tests)
    models = [_plan_model(name, tests, known) for name in params.models.api]
    if not judges:
        return models
    incomplete = {plan.who for plan in models if plan.to_ask}
    pairs = Pairs(params, tests, incomplete, teaching)
    judged = [_plan_judge(name, judge, pairs, known) for name, judge in judges.items()]
    return [*models, *judged]


def asked_judges(params: Params) -> dict[str, LLMJudge]:
    """Read the judges that are models behind an API, by name."""
    judges = {name: read_judge(paths.judge(name)) for name in params.judgments.judges}
    return {name: judge for name, judge in judges.items() if isinstance(judge, LLMJudge)}


def _plan_model(name: str, tests: TestSets, known: KnownAnswers) -> Plan:
    (prompts,) = dependencies("model_generations", "prompts/")
    asked = [
        request
        for tasks in tests.tasks.values()
        for request in make_folder_requests(prompts / name, tasks)
    ]
    rows = sum(tests.absent.values())
    like = make_folder_requests(prompts / name, [tests.longest]) if rows else []
    coming = Coming(rows, rows, True, like)
    plan = known.plan("model_generations", asked, known.look_up(asked), [], coming, name)
    return replace(plan, note=tests.note("model_generations"))


def _plan_judge(name: str, judge: LLMJudge, pairs: Pairs, known: KnownAnswers) -> Plan:
    """Plan one judge: look up what it was asked of answers that stay, count what is to come."""
    folder = paths.judge(name)
    asked: list[Request] = []
    found: list[tuple[Request, list[Answer]]] = []
    others: list[tuple[Request, list[Answer]]] = []
    missing: dict[str, Request] = {}
    for shown in pairs.here:
        for request in make_judge_requests(judge, folder, shown.pairs):
            sent, replies = find_replies([request], known.find)
            answers = [reply for reply in replies if isinstance(reply, Answer)]
            if answers:
                (found if shown.stays else others).append((sent[0], answers))
            if shown.stays:
                asked += sent
                missing |= {each.key(): each for each in replies if isinstance(each, Request)}
    like: list[Request] = []
    for shown in pairs.to_come:
        requests = make_judge_requests(judge, folder, shown.pairs)
        like += [request.next_request() for request in requests] * shown.times
    plan = Plan(
        stage="judgments",
        who=name,
        asked=asked,
        known=found,
        others=others,
        missing=list(missing.values()),
        coming=Coming(len(like), len(like), True, like),
        tries=judge.tries,
        reminder=len((judge.reminder or "").encode()) + _TURN,
        note=pairs.tests.note("judgments"),
    )
    earlier = [paths.judgments(cell._replace(judge=name)) for cell in pairs.cells]
    return known.with_earlier(plan, earlier)
