"""Where the pipeline starts: with what the teacher writes, or with a file that was brought in."""

from pathlib import Path

from alpacare.core.settings import read_yaml
from alpacare.pipeline.params import Params

# what nothing reads while another file stands in for the stage's own
_PASSED = {
    "responses": {
        "seeds",
        "seed_statistics",
        "instructions",
        "filtered",
        "task_statistics",
        "responses",
        "usage",
    },
    "instructions": {"instructions"},
}


def passed(params: Params) -> set[str]:
    """Give the stages that `sources` leads past: they may be stale, and nobody waits for them."""
    own = {stage: getattr(params.sources, stage) == stage for stage in _PASSED}
    return set().union(*(_PASSED[stage] for stage in _PASSED if not own[stage]))


def targets(params: Params, pipeline: Path = Path("dvc.yaml")) -> list[str]:
    """Give what `dvc repro` has to be asked for: nothing where all stages are wanted."""
    skipped = passed(params)
    if not skipped:
        return []
    wanted = [stage for stage in read_yaml(pipeline)["stages"] if stage not in skipped]
    if "responses" in wanted:  # the usage of the one teacher that is asked
        return [f"{stage}@responses" if stage == "usage" else stage for stage in wanted]
    return wanted
