"""A look at every setting and input before anything runs.

DVC deletes a stage's outputs before it starts the stage's command, so a typo in params.yaml would
cost them. `make repro` looks here first.
"""

from collections.abc import Iterable
from importlib.util import find_spec
from itertools import repeat
from pathlib import Path

from alpacare.core.errors import BadInput
from alpacare.datasets.seed_files import read_seeds
from alpacare.generation.settings import read_local_model
from alpacare.instructions.few_shot_sampler import FewShotSampler
from alpacare.judging.judge_request import make_judge_requests
from alpacare.judging.judges import LLMJudge, read_judge
from alpacare.llm.cache_pack import read_pack
from alpacare.llm.endpoints import Endpoint
from alpacare.llm.prices import Prices
from alpacare.llm.request import Request
from alpacare.llm.reservations import read_budget
from alpacare.llm.task_requests import make_folder_requests
from alpacare.local_judging.judges import read_local_judge
from alpacare.pipeline import paths
from alpacare.pipeline.dvc_yaml import dependencies
from alpacare.pipeline.params import Params, read_params
from alpacare.prompting.judge_prompt import JudgePrompt
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.prompting.templates import render_chat
from alpacare.records.generation import Generation
from alpacare.records.shown_pair import ShownPair
from alpacare.records.task import Seed, TestTask, row_id
from alpacare.records.test_set import read_test_set
from alpacare.stages.filtered import read_test_sets
from alpacare.stages.references import written_answers
from alpacare.training.hardware import check_machine, read_hardware
from alpacare.training.memory_check import check_memory_and_disk
from alpacare.training.settings import CheckpointSettings

EXAMPLE = TestTask(id=row_id("x", ""), instruction="x", input="")
_ANSWER = Generation(
    id="x", instruction="x", input="", output="x", generator="x", finish_reason="stop"
)
_CASE = ShownPair(_ANSWER, _ANSWER, "model_first")


def check_all() -> str:
    """Check all that the pipeline starts from; sum up in one line.

    Raises:
        BadInput: the first thing that is wrong.
    """
    params = read_params()
    _check_sources(params)
    _check_judges(params)
    _check_prompts()
    _check_servers(params)
    for stage in ("instructions", "responses"):
        for pack in dependencies(stage, "data/recordings/"):
            list(read_pack(pack))
    seeds = _check_seeds(params)
    tasks = _check_tests(params)
    _check_references(params)
    read_test_sets(tuple(dependencies("filtered", "data/tests")))
    _check_training(params.checkpoint)
    if params.filtered.engine == "ray" and find_spec("ray") is None:
        raise BadInput("filtered.engine: ray: Ray is not installed; run: make ray")
    return f"settings and prompts fine, {seeds} seed tasks, {tasks} test tasks"


def _check_sources(params: Params) -> None:
    """An imported file is in DVC and not in Git: a fresh clone lacks it."""
    for stage, reader in (("instructions", "filtered"), ("responses", "checkpoint")):
        (path,) = dependencies(reader, f"data/{getattr(params.sources, stage)}.jsonl")
        if getattr(params.sources, stage) != stage and not path.exists():
            raise BadInput(
                f"params.yaml: sources.{stage}: {path}: no such file; bring it in with "
                "`make fetch`, `make import` or `dvc pull`, or go back with `make preset NAME=demo`"
            )


def _check_judges(params: Params) -> None:
    """Read every judge, and the prompt of those that have one."""
    for name in params.judgments.judges:
        folder = paths.judge(name)
        judge = read_judge(folder)
        if isinstance(judge, LLMJudge):
            _check_asking([make_judge_requests(judge, folder, [_CASE])[0].next_request()])
    for name in params.judgments.local_judges:
        read_local_judge(paths.judge(name))
        JudgePrompt.read(paths.judge(name))


def _check_servers(params: Params) -> None:
    """With money to spend, a missing key shows before DVC deletes the outputs of the stage."""
    Prices()
    for stage in ("instructions", "responses"):
        _check_key(params.endpoints[getattr(params, stage).endpoint])
    for name in params.generations.servers:  # free, so that it will be asked without BUDGET too
        params.endpoints[name].read_key()


def _check_key(endpoint: Endpoint) -> None:
    if read_budget() is not None and not endpoint.offline:
        endpoint.read_key()


def _check_asking(requests: Iterable[Request]) -> None:
    """With money to spend, a missing key or price shows before DVC deletes anything."""
    for request in requests:
        _check_key(request.endpoint)
        if read_budget() is not None and not request.endpoint.offline:
            Prices().worst(request, request.endpoint.mode)


def _check_training(settings: CheckpointSettings) -> None:
    """Look at the machine, and whether the least batch would fit: more is known with the data."""
    (path,) = dependencies("checkpoint", "configs/")
    hardware = read_hardware(path)
    check_machine(settings, hardware)
    least = settings.micro_batch_size or 1, settings.max_seq_length
    if not settings.packing:
        least = 1, 1
    check_memory_and_disk(settings, hardware, least, False, Path("models"))


def _check_prompts() -> None:
    """Fill every prompt once; a missing file or an unknown variable shows."""
    (student,) = dependencies("checkpoint", "prompts/")
    StudentPrompt.choose("alpaca", student)
    (instructions,) = dependencies("instructions", "prompts/")
    example = dict.fromkeys(Seed.model_fields, "x")
    for format in ("text", "json_schema"):
        values = {"examples": [example], "count": 1, "types": ["x"], "format": format}
        render_chat(instructions, values)
    (responses,) = dependencies("responses", "prompts/")
    render_chat(responses, {"instruction": "x", "input": "x"})


def _check_seeds(params: Params) -> int:
    source = dependencies("seeds", "data/")[0]
    seeds = read_seeds(source)[: params.seeds.take]
    settings = params.instructions
    FewShotSampler(seeds, settings.seed).check_size(settings.seeds_per_request)
    return len(seeds)


def _check_tests(params: Params) -> int:
    """Read every test set; each written reference must have answered one of them."""
    files = [paths.test_set(test) for test in params.tests]
    sets = [read_test_set(path) for path in files]
    for name in params.references.written:
        taken = [written_answers(*each) for each in zip(sets, repeat(name), files, strict=False)]
        if not any(taken):
            known = sorted({who for tests in sets for test in tests for who in test.answers})
            raise BadInput(
                f"params.yaml: references.written: '{name}' has answered none of the test sets "
                f"(there are answers by: {', '.join(known) or 'nobody'})"
            )
    return sum(map(len, sets))


def _check_references(params: Params) -> None:
    """Read which models are asked, which sort instructions, and which answer on this machine."""
    (prompts,) = dependencies("references", "prompts/")
    folders = [prompts / name for name in params.references.api]
    for name in params.categories:
        folders += dependencies("categories", "prompts/", sorter=name)
    for folder in folders:
        _check_asking(make_folder_requests(folder, [EXAMPLE]))
    (models,) = dependencies("local_references", "prompts/local_references")
    for name in params.references.local:
        read_local_model(models / name)
