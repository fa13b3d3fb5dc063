"""A look at every setting and input before anything runs.

DVC deletes a stage's outputs before it starts the stage's command, so a typo in params.yaml would
cost them. `make repro` looks here first.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from itertools import product, repeat

from alpacare.core.errors import BadInput
from alpacare.core.texts import counted
from alpacare.datasets.seed_choice import take_seeds
from alpacare.datasets.seed_files import read_seeds
from alpacare.filtering.contamination_gate import read_test_sets
from alpacare.generation.settings import read_local_model
from alpacare.instructions.few_shot_sampler import FewShotSampler
from alpacare.judging.judge_request import make_judge_requests
from alpacare.judging.judges import LLMJudge, OverlapJudge, read_judge, read_rubric_judge
from alpacare.judging.overlap import has_others
from alpacare.judging.rubric_request import make_rubric_requests
from alpacare.llm.cache_pack import read_pack
from alpacare.llm.prices import Prices
from alpacare.llm.request import Request
from alpacare.llm.reservations import read_budget
from alpacare.llm.task_requests import make_folder_requests
from alpacare.local_judging.judges import read_local_judge
from alpacare.pipeline import paths
from alpacare.pipeline.benchmarks_check import check_benchmarks
from alpacare.pipeline.dvc_yaml import all_stages, cells_before, dependencies, group
from alpacare.pipeline.examples import ANSWERED, CASE, EXAMPLE, GRADED
from alpacare.pipeline.hosts import check_destinations
from alpacare.pipeline.machine_check import check_this_machine
from alpacare.pipeline.named_files import absent_files
from alpacare.pipeline.params import Params, read_params
from alpacare.pipeline.quoting.spending_check import check_spending, teacher_examples
from alpacare.pipeline.sources import skipped_stages
from alpacare.pipeline.students_check import check_students
from alpacare.prompting.chat_prompt import ChatPrompt
from alpacare.prompting.judge_prompt import JudgePrompt
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.prompting.variables import TASK, few_shot
from alpacare.records.labelled import read_labels
from alpacare.records.task import TestTask
from alpacare.records.test_set import read_test_set
from alpacare.stages.model_generations import written_answers
from alpacare.verification.checking import make_check_requests


def check_all(targets: Sequence[str] = (), run: bool = False) -> str:
    """Check all that the pipeline starts from; sum up in one line, and say what is left out.

    `run`: also whether the answers that are missing can be bought, as it always is with a BUDGET.
    With `targets`, money and machine are looked at only as far as these stages and those before
    them need them.

    Raises:
        BadInput: the first thing that is wrong.
    """
    params = read_params()
    for _, line in absent_files(params):
        raise BadInput(f"params.yaml: {line}")
    check_students(params)
    asked = {"judgments": _check_judges(params)}
    _check_prompts(params)
    Prices()
    for stage in ("instructions", "responses"):
        for pack in dependencies(stage, "data/recordings/"):
            list(read_pack(pack))
    seeds = _check_seeds(params)
    tests = _check_tests(params)
    asked |= _check_models(params)
    asked |= {"label_judgments": asked["judgments"] if params.labels else []}
    for name in params.labels:
        read_labels(paths.labels(name))
    read_test_sets(paths.compared_sets())
    check_benchmarks(params)
    if params.filtered.engine == "ray" and find_spec("ray") is None:
        raise BadInput("filtered.engine: ray: Ray is not installed; run: make ray")
    check_destinations(params)
    skipped = skipped_stages(params)
    needed = {each for each in cells_before(targets or all_stages()) if group(each) not in skipped}
    check_this_machine(params, needed)
    if run or read_budget() is not None:
        check_spending(teacher_examples(params) | asked, set(map(group, needed)))
    tasks = sum(map(len, tests.values()))
    counts = f"{counted(seeds, 'seed task')}, {counted(tasks, 'test task')}"
    summary = f"settings and prompts fine, {counts}"
    left_out = [*_left_out(params, tests), *_without_rubrics(params, tests)]
    return "\n".join([summary, *left_out])


def _check_judges(params: Params) -> list[Request]:
    """Read every judge, and the prompt of those that have one; give a request for each model."""
    asked = []
    for name in params.judgments.judges:
        folder = paths.judge(name)
        judge = read_judge(folder)
        if isinstance(judge, LLMJudge):
            asked.append(make_judge_requests(judge, folder, [CASE])[0].next_request())
    for name in params.judgments.rubric_judges:
        folder = paths.judge(name)
        grader = read_rubric_judge(folder)
        asked.append(make_rubric_requests(grader, folder, [GRADED])[0].next_request())
    for name in params.judgments.local_judges:
        read_local_judge(paths.judge(name))
        JudgePrompt.read(paths.judge(name))
    return asked


def _check_prompts(params: Params) -> None:
    """Read the prompts of student and teacher; those of judges and others are read with them."""
    (student,) = dependencies("checkpoint", "prompts/")
    StudentPrompt.choose("alpaca", student)
    (instructions,) = dependencies("instructions", "prompts/")
    asked = params.instructions
    ChatPrompt.read(instructions, few_shot(asked.seeds_per_request, asked.tasks_per_request))
    (responses,) = dependencies("responses", "prompts/")
    ChatPrompt.read(responses, TASK)


def _check_seeds(params: Params) -> int:
    source = dependencies("seeds", "data/")[0]
    seeds = take_seeds(read_seeds(source), params.seeds.take, params.seeds.seed)
    settings = params.instructions
    FewShotSampler(seeds, settings.seed).check_size(settings.seeds_per_request)
    return len(seeds)


def _left_out(params: Params, tests: Mapping[str, list[TestTask]]) -> Iterator[str]:
    """Say which test sets judges leave out.

    One by overlap: those with the judged answers alone; one by rubrics: those without any.
    """
    judges = [
        name
        for name in params.judgments.judges
        if isinstance(read_judge(paths.judge(name)), OverlapJudge)
    ]
    for judge, (test, tasks) in product(judges, tests.items()):
        names = [
            name
            for name in params.judgments.references
            if name in tasks[0].answers and not has_others({name}, tasks)
        ]
        if names:
            yield (
                f"{judge} leaves out {test} against {', '.join(names)}: no other written answer to "
                "compare with; the other judges judge it"
            )


def _without_rubrics(params: Params, tests: Mapping[str, list[TestTask]]) -> Iterator[str]:
    for judge in params.judgments.rubric_judges:
        names = [test for test, tasks in tests.items() if not any(task.rubrics for task in tasks)]
        if names:
            yield f"{judge} leaves out {', '.join(names)}: no item has rubrics (docs/rubrics.md)"


def _check_tests(params: Params) -> dict[str, list[TestTask]]:
    """Read every test set; each written model must have answered one of them."""
    files = [paths.test_set(test) for test in params.tests]
    sets = [read_test_set(path) for path in files]
    for name in params.models.written:
        taken = [written_answers(*each) for each in zip(sets, repeat(name), files, strict=False)]
        if not any(taken):
            known = sorted({who for tests in sets for test in tests for who in test.answers})
            raise BadInput(
                f"params.yaml: models.written: '{name}' has answered none of the test sets "
                f"(there are answers by: {', '.join(known) or 'nobody'})"
            )
    return dict(zip(params.tests, sets, strict=True))


def _check_models(params: Params) -> dict[str, list[Request]]:
    """Read which models are asked, which check and sort, and which answer on this machine.

    Gives a request for each model that is asked, by stage.
    """
    (prompts,) = dependencies("model_generations", "prompts/")
    folders = {"model_generations": [prompts / name for name in params.models.api]}
    folders["categories"] = [
        path
        for name in params.categories
        for path in dependencies("categories", "prompts/", sorter=name)
    ]
    (models,) = dependencies("local_generations", "prompts/local_models")
    for name in params.models.local:
        read_local_model(models / name)
    asked = {
        stage: [request for path in each for request in make_folder_requests(path, [EXAMPLE])]
        for stage, each in folders.items()
    }
    verifiers = [dependencies("verified", "prompts/", verifier=name) for name in params.verifiers]
    checks = [request for (path,) in verifiers for request in make_check_requests(path, [ANSWERED])]
    return asked | {"verified": checks}
