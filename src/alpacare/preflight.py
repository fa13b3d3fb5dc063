"""A look at every setting and input before anything runs.

DVC deletes a stage's outputs before it starts the stage's command, so a typo in params.yaml would
cost them. `make repro` looks here first.
"""

from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints

from alpacare.errors import BadInput
from alpacare.evaluation.judges import read_judge
from alpacare.generation.answers import GenerationsSettings
from alpacare.settings import Settings, check, read_yaml
from alpacare.stages.checkpoint import CheckpointSettings
from alpacare.stages.curves import CurvesSettings
from alpacare.stages.filtered import FilteredSettings
from alpacare.stages.instructions import InstructionsSettings
from alpacare.stages.responses import ResponsesSettings
from alpacare.stages.scores import ScoresSettings
from alpacare.stages.seeds import SeedsSettings, normalise, read_source
from alpacare.testsets import read_tests

# Names become stage names and file names: DVC takes a "/" for a path.
Slug = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Slugs = Annotated[list[Slug], Field(min_length=1)]


class ReferencesSettings(Settings):
    """Section `references`: whose answers stand in the test sets."""

    written: Slugs


class JudgmentsSettings(Settings):
    """Section `judgments`: the axes of its matrix."""

    references: Slugs
    judges: Slugs


class Params(Settings):
    """The whole of params.yaml."""

    tests: Slugs
    references: ReferencesSettings
    judgments: JudgmentsSettings
    seeds: SeedsSettings
    instructions: InstructionsSettings
    filtered: FilteredSettings
    responses: ResponsesSettings
    checkpoint: CheckpointSettings
    curves: CurvesSettings
    generations: GenerationsSettings
    scores: ScoresSettings


def check_all() -> str:
    """Check params.yaml whole, each judge, the seeds and each test set; sum up in one line.

    Raises:
        BadInput: the first thing that is wrong.
    """
    params = check(read_yaml(Path("params.yaml")), Params, "params.yaml: ")
    _check_references(params)
    for judge in params.judgments.judges:
        read_judge(judge)
    source = data_dependency("seeds")
    seeds = normalise(read_source(source), source)
    tasks = sum(len(read_tests(data_dependency("references", test=test))) for test in params.tests)
    return f"settings fine, {len(seeds)} seed tasks, {tasks} test tasks"


def _check_references(params: Params) -> None:
    for name in params.judgments.references:
        if name not in {*params.references.written, "base"}:
            raise BadInput(
                f"params.yaml: judgments.references: '{name}' is neither 'base' nor in "
                "references.written"
            )


def data_dependency(stage: str, **item: str) -> Path:
    """Give a stage's first dependency under data/, from dvc.yaml, for one cell of its matrix."""
    deps = read_yaml(Path("dvc.yaml"))["stages"][stage]["deps"]
    path = next(dep for dep in deps if dep.startswith("data/"))
    for axis, value in item.items():
        path = path.replace(f"${{item.{axis}}}", value)
    return Path(path)
