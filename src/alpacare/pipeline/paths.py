"""Which file holds what, by stage: as dvc.yaml has it, and `sources` in params.yaml."""

from pathlib import Path

from alpacare.pipeline.dvc_yaml import dependencies, outputs, rows_path
from alpacare.pipeline.params import Params
from alpacare.pipeline.sources import passed

WRITING = ("instructions", "filtered", "responses")  # the stages whose lost rows stand in a file


def rows(stage: str) -> Path:
    """Give the file of a stage's rows: the first that it writes."""
    return outputs(stage, "data/")[0]


def lost(stage: str) -> Path:
    """Give the file that says which rows went at a stage, and why."""
    if stage == "checkpoint":
        return checkpoint() / "dropped.jsonl"
    return outputs(stage, "data/dropped/")[0]


def checkpoint() -> Path:
    """Give the folder of the trained student."""
    return outputs("checkpoint", "models/")[0]


def tasks(params: Params) -> Path:
    """Give what `filtered` reads: what the teacher wrote, or a file that was brought in."""
    return dependencies("filtered", f"data/{params.sources.instructions}.jsonl")[0]


def lessons(params: Params) -> Path:
    """Give what `checkpoint` learns from: the teacher's answers, or a file that was brought in."""
    return dependencies("checkpoint", f"data/{params.sources.responses}.jsonl")[0]


def telling(params: Params) -> list[str]:
    """Give the stages up to training that have a part in today's checkpoint, in order."""
    return [stage for stage in ("seeds", *WRITING) if stage not in passed(params)]


def test_set(test: str) -> Path:
    """Give a test set."""
    return rows_path("generations", "data/tests/", test=test)


def generations(test: str) -> Path:
    """Give the student's answers to a test set."""
    return outputs("generations", "data/", test=test)[0]


def reference(test: str, name: str) -> Path:
    """Give a reference's answers to a test set."""
    return rows_path("judgments", "data/references/", test=test, reference=name)


def judgments(test: str, name: str, judge: str) -> Path:
    """Give the verdicts of one cell."""
    return outputs("judgments", "data/", test=test, reference=name, judge=judge)[0]


def score(test: str, name: str, judge: str) -> Path:
    """Give the score of one cell."""
    return outputs("scores", "metrics/", test=test, reference=name, judge=judge)[0]
