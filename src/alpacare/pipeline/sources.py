"""Where the pipeline starts: with what the teacher writes, or with an imported file."""

from collections.abc import Sequence

from alpacare.core.errors import BadInput
from alpacare.pipeline.dvc_yaml import all_stages
from alpacare.pipeline.params import Params, Run


def skipped_stages(params: Params) -> set[str]:
    """Give the stages that `sources` skips: they may be outdated, and nothing waits for them."""
    skipped = set()
    if params.sources.instructions != "instructions":
        skipped.add("instructions")
    if params.sources.answers != "responses":
        skipped |= {
            "seeds", "seed_statistics", "instructions", "filtered", "task_statistics", "responses",
            "llm_usage",
        }  # fmt: skip
    return skipped


def repro_targets(params: Params) -> list[str]:
    """Give the targets for `dvc repro`: none where all stages are wanted."""
    skipped = skipped_stages(params)
    if not skipped:
        return []
    wanted = [stage for stage in all_stages() if stage not in skipped]
    if "responses" in wanted:  # only one of the two paid stages runs
        return [f"{stage}@responses" if stage == "llm_usage" else stage for stage in wanted]
    return wanted


def buy_targets(params: Params) -> list[str]:
    """Give the targets for `dvc repro` that ask for answers which need no trained student.

    Raises:
        BadInput: nothing is asked before training.
    """
    skipped = skipped_stages(params)
    teacher = [stage for stage in ("instructions", "responses") if stage not in skipped]
    usage = [f"llm_usage@{stage}" for stage in teacher]
    others = [
        ("verified", params.verifiers),
        ("model_generations", params.models.api),
        ("categories", params.categories),
        ("label_judgments", params.labels),
    ]
    targets = [*teacher, *usage, *(stage for stage, who in others if who)]
    if not targets:
        raise BadInput("nothing is asked before training: answers are imported, or in test sets")
    return targets


def train_targets(params: Params, student: str | None = None, seed: int | None = None) -> list[str]:
    """Give the targets for `dvc repro` that train; one student's only, or one seed's.

    Raises:
        BadInput: params.yaml names no such student or seed.
    """
    runs = chosen_runs(params, student, seed)
    return [cell(stage, run) for stage in ("checkpoint", "training_curves") for run in runs]


def chosen_runs(params: Params, student: str | None = None, seed: int | None = None) -> list[Run]:
    """Give every training, or one student's only, or one seed's; errors as `train_targets`."""
    _check_named("students", student, params.students)
    _check_named("training_seeds", seed, params.training_seeds)
    return [
        run for run in params.runs() if student in (None, run.student) and seed in (None, run.seed)
    ]


def cell(stage: str, run: Run) -> str:
    """Give the address of a stage for one training of one student."""
    return f"{stage}@{run.student}-{run.seed}"


def _check_named(key: str, value: str | int | None, known: Sequence[str | int]) -> None:
    if value is not None and value not in known:
        names = ", ".join(map(str, known))
        raise BadInput(f"params.yaml: {key}: '{value}' is not among them: {names}; add it there")
