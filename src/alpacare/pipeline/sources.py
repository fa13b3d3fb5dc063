"""Where the pipeline starts: with what the teacher writes, or with an imported file."""

from alpacare.core.errors import BadInput
from alpacare.pipeline.dvc_yaml import all_stages
from alpacare.pipeline.params import Params


def skipped_stages(params: Params) -> set[str]:
    """Give the stages that `sources` skips: they may be outdated, and nothing waits for them."""
    skipped = set()
    if params.sources.instructions != "instructions":
        skipped.add("instructions")
    if params.sources.responses != "responses":
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
    others = [("references", params.references.api), ("categories", params.categories)]
    targets = [*teacher, *usage, *(stage for stage, who in others if who)]
    if not targets:
        raise BadInput("nothing is asked before training: answers are imported, or stand in tests")
    return targets
