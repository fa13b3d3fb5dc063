"""What the teacher would be asked for instructions and responses, verifiers for checks, and the
sorters for groups."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from alpacare.core import jsonl
from alpacare.core.texts import counted
from alpacare.datasets.seed_choice import take_seeds
from alpacare.datasets.seed_files import read_seeds
from alpacare.filtering.contamination_gate import read_test_sets
from alpacare.filtering.filter import Filter
from alpacare.instructions.generation_loop import GenerationLoop
from alpacare.llm.reply import Answer
from alpacare.llm.request import Request
from alpacare.llm.task_requests import make_folder_requests, make_requests
from alpacare.pipeline import paths
from alpacare.pipeline.dvc_yaml import dependencies, outputs
from alpacare.pipeline.params import Params
from alpacare.pipeline.quoting.instruction_yield import Yield, earlier_yield, kept_per_reply
from alpacare.pipeline.quoting.known_answers import KnownAnswers
from alpacare.pipeline.quoting.plan_checks import placeholder, plan_checks
from alpacare.pipeline.quoting.stage_plan import Coming, Plan
from alpacare.pipeline.sources import skipped_stages
from alpacare.records.response import Response
from alpacare.records.task import AnyTask, Question, Seed, SortedTask
from alpacare.stages.responses import join

Found = Answer | Request


@dataclass(frozen=True)
class Teaching:
    """What is asked before training, and what students will learn from."""

    plans: list[Plan]
    path: Path
    rows: list[Response] | None = None  # None: the file at `path` is imported

    @cached_property
    def changes(self) -> bool:
        """Whether students will learn from other rows than those in the file."""
        others = {"categories", *(() if self.path.parent.name == "verified" else ("verified",))}
        if any(plan.to_ask for plan in self.plans if plan.stage not in others):
            return True
        if self.rows is None:
            return False
        return not self.path.exists() or self.rows != jsonl.read(self.path, Response)


def plan_teaching(params: Params, known: KnownAnswers) -> Teaching:
    """Plan all that is asked before training."""
    path = paths.training_rows(params)
    if "responses" in skipped_stages(params):
        return _plan_imported(params, known, path)
    seeds = read_seeds(dependencies("seeds", "data/")[0])
    seeds = take_seeds(seeds, params.seeds.take, params.seeds.seed)
    plans, kept, coming = _plan_tasks(params, known, seeds)
    (prompt,) = dependencies("responses", "prompts/")
    asked = list(make_requests(kept, params.responses, prompt))
    found = known.look_up(asked)
    plan = known.plan("responses", asked, found, [path], coming)
    answered = [
        (task, each) for task, each in zip(kept, found, strict=True) if isinstance(each, Answer)
    ]
    # what stage `responses` reads of them
    tasks = [SortedTask.model_validate(task.model_dump()) for task, _ in answered]
    answers = [answer for _, answer in answered]
    rows, useless = join(tasks, answers, params.responses)
    lost = {row.id for row in useless}
    unknown = len(kept) - len(answered)
    to_check = replace(coming, likely=coming.likely + unknown, most=coming.most + unknown)
    room = params.responses.retry_max_tokens or params.responses.max_tokens or 0
    like = [placeholder(task, room) for task in _longest(seeds)]
    checked = plan_checks(params, known, rows, to_check, like)
    lost |= {row.id for row in rows} - {row.id for row in checked.rows}
    usable = [task for task in kept if task.id not in lost]
    sorters = _plan_categories(params, known, usable, coming, seeds)
    return Teaching([*plans, plan, *checked.plans, *sorters], path, checked.rows)


def _plan_imported(params: Params, known: KnownAnswers, path: Path) -> Teaching:
    """Plan checks and groups of imported answers."""
    source = paths.verified_rows(params)
    rows = jsonl.read(source, Response, unique="id") if source and source.exists() else []
    checked = plan_checks(params, known, rows, Coming(), rows[:1])
    if params.sources.verifier:
        tasks = [AnyTask.model_validate(row.model_dump()) for row in checked.rows]
        sorters = _plan_categories(params, known, tasks, Coming())
        return Teaching([*checked.plans, *sorters], path, checked.rows)
    imported = jsonl.read(path, AnyTask, unique="id") if path.exists() else []
    sorters = _plan_categories(params, known, imported, Coming())
    return Teaching([*checked.plans, *sorters], path)


def _plan_tasks(
    params: Params, known: KnownAnswers, seeds: Sequence[Seed]
) -> tuple[list[Plan], Sequence[Question], Coming]:
    """Plan the instructions; give the tasks that `filtered` keeps so far, and those to come."""
    tests = read_test_sets(paths.compared_sets())
    task_filter = Filter(params.filtered, seeds, tests)
    if "instructions" in skipped_stages(params):
        imported = jsonl.read(paths.instructions(params), SortedTask, unique="id")
        task_filter.add(imported)
        return [], task_filter.kept_tasks(imported), Coming()
    (prompt,) = dependencies("instructions", "prompts/")
    loop = GenerationLoop(seeds, params.instructions, prompt, Filter(params.filtered, seeds))
    asked, found = _play(loop, params.instructions.machine_examples > 0, known)
    tasks = list(loop.tasks.values())
    task_filter.add(tasks)
    kept = task_filter.kept_tasks(tasks)
    plan = known.plan("instructions", asked, found, [paths.rows("instructions")])
    if not plan.missing:
        return [plan], kept, Coming()
    seen = [answer.key for answer in plan.answers]
    counts = kept_per_reply(kept, seen)
    if plan.earlier:
        counts += earlier_yield(params, seeds, set(seen))
    known_yield, need = Yield(counts, params.instructions), _lacking(loop, params)
    dearest = max(asked, key=Request.most_input_tokens)
    coming = known_yield.coming_requests(loop, len(plan.missing), need, [dearest])
    plan = replace(plan, coming=coming, note=_describe_target(params, len(plan.missing), coming))
    (prompt,) = dependencies("responses", "prompts/")
    like = list(make_requests(_longest(seeds), params.responses, prompt))
    return [plan], kept, known_yield.coming_tasks(plan, need, like)


def _lacking(loop: GenerationLoop, params: Params) -> int | None:
    """Count the tasks that a target still lacks, below 0 if more are kept; None: no target."""
    target = params.instructions.target_kept
    return None if target is None else target - len(loop.kept_tasks())


def _describe_target(params: Params, missing: int, coming: Coming) -> str:
    settings = params.instructions
    if settings.target_kept is None:
        return ""
    most = counted(missing + coming.most, "request")
    return (
        f"instructions: asked until {settings.target_kept:,} are kept: {most} at most "
        f"(max_requests: {settings.max_requests:,})"
    )


def _play(
    loop: GenerationLoop, dependent: bool, known: KnownAnswers
) -> tuple[list[Request], list[Found]]:
    """Go through the rounds of the generation loop.

    `dependent`: later rounds show tasks of earlier ones, so they cannot be known without these.
    """
    asked: list[Request] = []
    found: list[Found] = []
    while requests := loop.next_requests():
        fresh = known.look_up(requests)
        answers = [each if isinstance(each, Answer) else None for each in fresh]
        loop.add_answers(answers)
        asked += requests
        found += fresh
        if dependent and None in answers:
            break
    return asked, found


def _longest(seeds: Sequence[Seed]) -> list[Seed]:
    """Give the longest seed, if any: tasks to come are taken to be no longer."""
    return sorted(seeds, key=lambda seed: len(f"{seed.instruction}{seed.input}".encode()))[-1:]


def _plan_categories(
    params: Params,
    known: KnownAnswers,
    tasks: Sequence[Question],
    coming: Coming,
    seeds: Sequence[Seed] = (),
) -> list[Plan]:
    """Plan each sorter, on the rows that students will learn from."""
    plans = []
    for sorter in params.categories:
        (prompt,) = dependencies("categories", "prompts/", sorter=sorter)
        asked = make_folder_requests(prompt, tasks)
        like = make_folder_requests(prompt, _longest(seeds))
        rows = outputs("categories", "data/", sorter=sorter)[:1]
        later = replace(coming, like=like)
        plans.append(known.plan("categories", asked, known.look_up(asked), rows, later, sorter))
    return plans
