"""What models and judges behind an API would be asked for the evaluation.

A test set that is not here yet counts by its rows in configs/datasets.yaml. Answers yet to come are
taken to be as long as their settings allow.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from alpacare.judging.dialogue import Asked, find_replies
from alpacare.judging.judge_request import make_judge_requests
from alpacare.judging.judges import (
    AskedJudge,
    LLMJudge,
    RubricJudge,
    read_judge,
    read_rubric_judge,
)
from alpacare.judging.rubric_request import GradedAnswer, make_rubric_requests
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
from alpacare.records.labelled import read_labels

_TURN = 80  # bytes that JSON adds to a reply and a reminder


def plan_evaluation(params: Params, known: KnownAnswers, teaching: Teaching) -> list[Plan]:
    """Plan all models and judges behind an API, on all test sets."""
    judges = asked_judges(params)
    graders = rubric_judges(params)
    if not (judges or graders or params.models.api):
        return []
    tests = TestSets.read(params.tests)
    models = [_plan_model(name, tests, known) for name in params.models.api]
    if not (judges or graders):
        return models
    incomplete = {plan.who for plan in models if plan.to_ask}
    pairs = Pairs(params, tests, incomplete, teaching)
    judged = [_plan_judge(name, judge, pairs, known) for name, judge in judges.items()]
    graded = [_plan_grader(name, judge, pairs, known) for name, judge in graders.items()]
    return [*models, *judged, *graded, *_plan_labels(params, graders, known)]


def asked_judges(params: Params) -> dict[str, LLMJudge]:
    """Read the judges that are models behind an API, by name."""
    judges = {name: read_judge(paths.judge(name)) for name in params.judgments.judges}
    return {name: judge for name, judge in judges.items() if isinstance(judge, LLMJudge)}


def rubric_judges(params: Params) -> dict[str, RubricJudge]:
    """Read the judges by rubrics, by name."""
    return {name: read_rubric_judge(paths.judge(name)) for name in params.judgments.rubric_judges}


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
    here = [(make_judge_requests(judge, folder, shown.pairs), shown.stays) for shown in pairs.here]
    like: list[Request] = []
    for shown in pairs.to_come:
        requests = make_judge_requests(judge, folder, shown.pairs)
        like += [request.next_request() for request in requests] * shown.times
    earlier = [paths.judgments(cell._replace(judge=name)) for cell in pairs.cells]
    plan = _plan_asked(name, judge, here, like, known, pairs.tests.note("judgments"))
    return known.with_earlier(plan, earlier)


def _plan_grader(name: str, judge: RubricJudge, pairs: Pairs, known: KnownAnswers) -> Plan:
    """Plan one judge by rubrics, likewise: a request for each answer, or each of its criteria."""
    folder = paths.judge(name)
    here = [
        (make_rubric_requests(judge, folder, graded.cases), graded.stays)
        for graded in pairs.answers_here
    ]
    like: list[Request] = []
    for graded in pairs.answers_to_come:
        requests = make_rubric_requests(judge, folder, graded.cases)
        like += [request.next_request() for request in requests] * graded.times
    earlier = [
        paths.rubric_judgments(cell.test, cell.model, cell.seed, name) for cell in pairs.graded
    ]
    plan = _plan_asked(name, judge, here, like, known, pairs.tests.note("judgments"))
    return known.with_earlier(plan, earlier)


def _plan_labels(
    params: Params, graders: Mapping[str, RubricJudge], known: KnownAnswers
) -> Iterator[Plan]:
    """Plan what judges by rubrics are asked of answers that people have labelled."""
    files = {name: paths.labels(name) for name in params.labels}
    here = [row for path in files.values() if path.exists() for row in read_labels(path)]
    cases = [GradedAnswer(row.task(), row.answer()) for row in here]
    absent = [name for name, path in files.items() if not path.exists()]
    note = f"label_judgments: not here, and not counted: {', '.join(absent)}" if absent else ""
    for name, judge in graders.items() if files else ():
        requests = make_rubric_requests(judge, paths.judge(name), cases)
        plan = _plan_asked(name, judge, [(requests, True)], [], known, note)
        earlier = [paths.label_judgments(labels, name) for labels in files]
        yield known.with_earlier(replace(plan, stage="label_judgments"), earlier)


def _plan_asked(
    name: str,
    judge: AskedJudge,
    here: Sequence[tuple[Sequence[Asked], bool]],
    like: Sequence[Request],
    known: KnownAnswers,
    note: str,
) -> Plan:
    """Look up what a judge is asked of answers that are `here`, and whether they stay."""
    asked: list[Request] = []
    found: list[tuple[Request, list[Answer]]] = []
    others: list[tuple[Request, list[Answer]]] = []
    missing: dict[str, Request] = {}
    for requests, stays in here:
        for request in requests:
            sent, replies = find_replies([request], known.find)
            answers = [reply for reply in replies if isinstance(reply, Answer)]
            if answers:
                (found if stays else others).append((sent[0], answers))
            if stays:
                asked += sent
                missing |= {each.key(): each for each in replies if isinstance(each, Request)}
    return Plan(
        stage="judgments",
        who=name,
        asked=asked,
        known=found,
        others=others,
        missing=list(missing.values()),
        coming=Coming(len(like), len(like), True, like),
        tries=judge.tries,
        reminder=len((judge.reminder or "").encode()) + _TURN,
        note=note,
    )
