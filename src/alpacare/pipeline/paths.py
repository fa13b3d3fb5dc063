"""Which file holds what, by stage: as dvc.yaml has it, and `sources` in params.yaml."""

from pathlib import Path

from alpacare.pipeline.dvc_yaml import dependencies, outputs, setting
from alpacare.pipeline.params import Params
from alpacare.pipeline.sources import skipped_stages
from alpacare.records.comparisons import BASE

WITH_DROPPED = ("instructions", "filtered", "responses")  # stages with a file of dropped rows


def rows(stage: str) -> Path:
    """Give the file of a stage's rows: the first that it writes."""
    return outputs(stage, "data/")[0]


def dropped(stage: str) -> Path:
    """Give the file that says which rows were dropped at a stage, and why."""
    if stage == "checkpoint":
        return checkpoint() / "dropped.jsonl"
    return outputs(stage, "data/dropped/")[0]


def checkpoint() -> Path:
    """Give the folder of the trained student."""
    return outputs("checkpoint", "models/")[0]


def instructions(params: Params) -> Path:
    """Give what `filtered` reads: what the teacher wrote, or an imported file."""
    return dependencies("filtered", f"data/{params.sources.instructions}.jsonl")[0]


def training_rows(params: Params) -> Path:
    """Give what `checkpoint` learns from: the teacher's answers, or an imported file."""
    return dependencies("checkpoint", f"data/{params.sources.responses}.jsonl")[0]


def stages_before_training(params: Params) -> list[str]:
    """Give the stages up to training that today's checkpoint was made by, in order."""
    return [stage for stage in ("seeds", *WITH_DROPPED) if stage not in skipped_stages(params)]


def test_set(test: str) -> Path:
    """Give a test set."""
    return dependencies("generations", "data/tests/", test=test)[0]


def generations(test: str) -> Path:
    """Give the student's answers to a test set."""
    return outputs("generations", "data/", test=test)[0]


def reference(test: str, name: str) -> Path:
    """Give a reference's answers to a test set."""
    if name == BASE:
        return outputs("base_generations", "data/", test=test)[0]
    local = name in setting("references", "local")
    (folder,) = outputs("local_references" if local else "references", "data/", test=test)
    return folder / f"{name}.jsonl"


def judgments(test: str, name: str, judge: str) -> Path:
    """Give the verdicts of one judge on one reference."""
    local = judge in setting("judgments", "local_judges")
    (folder,) = outputs("local_judgments" if local else "judgments", "data/", test=test)
    return folder / name / f"{judge}.jsonl"


def score(test: str, name: str, judge: str) -> Path:
    """Give the score of one judge's verdicts on one reference."""
    return outputs("scores", "metrics/scores/", test=test)[0] / name / f"{judge}.json"


def judge(name: str) -> Path:
    """Give a judge's folder."""
    local = name in setting("judgments", "local_judges")
    stage, folder = ("local_judgments", "local_judges") if local else ("judgments", "judges")
    return dependencies(stage, f"prompts/{folder}")[0] / name
