"""The whole of params.yaml, checked; what is compared with what."""

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import StringConstraints, model_validator

from alpacare.core.hosts import Hosts
from alpacare.core.names import NAME, Names, Slugs
from alpacare.core.settings import Settings, check, read_yaml
from alpacare.datasets.seed_files import SeedsSettings
from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.score import Cell
from alpacare.filtering.settings import FilteredSettings
from alpacare.generation.settings import GenerationsSettings
from alpacare.instructions.settings import InstructionsSettings
from alpacare.llm.endpoints import Endpoint
from alpacare.llm.task_requests import ResponsesSettings
from alpacare.records.comparisons import BASE, JudgmentsSettings, ReferencesSettings
from alpacare.training.curves import TrainingCurvesSettings
from alpacare.training.settings import CheckpointSettings

_IMPORTED = f"imported/{NAME}"


class SourcesSettings(Settings):
    """Section `sources`: where three stages start, files under data/ without their ending."""

    seeds: Annotated[str, StringConstraints(pattern=rf"^seeds/{NAME}$")]
    instructions: Annotated[str, StringConstraints(pattern=rf"^(instructions|{_IMPORTED})$")]
    responses: Annotated[str, StringConstraints(pattern=rf"^(responses|{_IMPORTED})$")]


class Params(Settings):
    """The whole of params.yaml."""

    renamed: ClassVar[Mapping[str, str]] = {"curves": "training_curves"}
    tests: Slugs
    references: ReferencesSettings
    judgments: JudgmentsSettings
    categories: Names
    hosts: Hosts = None
    endpoints: dict[str, Endpoint]
    sources: SourcesSettings
    seeds: SeedsSettings
    instructions: InstructionsSettings
    filtered: FilteredSettings
    responses: ResponsesSettings
    checkpoint: CheckpointSettings
    training_curves: TrainingCurvesSettings
    generations: GenerationsSettings
    scores: Resampling

    @model_validator(mode="after")
    def _known_references(self) -> Self:
        known = self.references
        for name in self.judgments.references:
            if name not in {*known.written, *known.api, *known.local, BASE}:
                raise ValueError(
                    f"judgments.references: '{name}' is neither 'base' nor in references"
                )
        return self

    @model_validator(mode="after")
    def _known_endpoints(self) -> Self:
        named = [
            ("instructions.endpoint", self.instructions.endpoint),
            ("responses.endpoint", self.responses.endpoint),
            *(("generations.servers", name) for name in self.generations.servers),
        ]
        for key, name in named:
            if name not in self.endpoints:
                known = ", ".join(self.endpoints)
                raise ValueError(f"{key}: '{name}' is not in endpoints: {known}")
        return self

    def cells(self) -> list[Cell]:
        """Every (test, reference, judge) that is judged and scored."""
        axes = self.tests, self.judgments.references, self.judgments.judges
        return [Cell(*each) for each in product(*axes)]


def read_params() -> Params:
    """Read and check params.yaml whole."""
    return check(read_yaml(Path("params.yaml")), Params, "params.yaml: ")
