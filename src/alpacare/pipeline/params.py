"""The whole of params.yaml, checked; what is compared with what."""

from itertools import product
from pathlib import Path
from typing import Annotated, Self

from pydantic import StringConstraints, model_validator

from alpacare.core.names import NAME, Names, Slugs, refuse_repeated
from alpacare.core.settings import Settings, check, read_yaml
from alpacare.datasets.seed_files import SeedsSettings
from alpacare.evaluation.bootstrap import Resampling
from alpacare.filtering.filter import FilteredSettings
from alpacare.generation.settings import GenerationsSettings
from alpacare.instructions.generation_loop import InstructionsSettings
from alpacare.llm.endpoints import Endpoint
from alpacare.llm.task_requests import ResponsesSettings
from alpacare.training.curves import CurvesSettings
from alpacare.training.settings import CheckpointSettings

BASE = "base"  # the student before training: a reference that needs no answers of others

_IMPORTED = f"imported/{NAME}"


class SourcesSettings(Settings):
    """Section `sources`: where three stages start, files under data/ without their ending."""

    seeds: Annotated[str, StringConstraints(pattern=rf"^seeds/{NAME}$")]
    instructions: Annotated[str, StringConstraints(pattern=rf"^(instructions|{_IMPORTED})$")]
    responses: Annotated[str, StringConstraints(pattern=rf"^(responses|{_IMPORTED})$")]


class ReferencesSettings(Settings):
    """Section `references`: whose answers stand in test sets, who is asked, who runs here."""

    written: Names
    asked: Names
    local: Names

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        refuse_repeated([*self.written, *self.asked, *self.local, BASE])
        return self


class JudgmentsSettings(Settings):
    """Section `judgments`: the axes of its matrix."""

    references: Slugs
    judges: Slugs


class Params(Settings):
    """The whole of params.yaml."""

    tests: Slugs
    references: ReferencesSettings
    judgments: JudgmentsSettings
    categories: Names
    endpoints: dict[str, Endpoint]
    sources: SourcesSettings
    seeds: SeedsSettings
    instructions: InstructionsSettings
    filtered: FilteredSettings
    responses: ResponsesSettings
    checkpoint: CheckpointSettings
    curves: CurvesSettings
    generations: GenerationsSettings
    scores: Resampling

    @model_validator(mode="after")
    def _known_references(self) -> Self:
        known = self.references
        for name in self.judgments.references:
            if name not in {*known.written, *known.asked, *known.local, BASE}:
                raise ValueError(
                    f"judgments.references: '{name}' is neither 'base' nor in references"
                )
        return self

    @model_validator(mode="after")
    def _known_endpoints(self) -> Self:
        for stage in ("instructions", "responses", "generations"):
            name = getattr(self, stage).endpoint
            if name is not None and name not in self.endpoints:
                raise ValueError(
                    f"{stage}.endpoint: '{name}' is not in endpoints: {', '.join(self.endpoints)}"
                )
        return self

    def cells(self) -> list[tuple[str, str, str]]:
        """Every (test, reference, judge) that is judged and scored."""
        return list(product(self.tests, self.judgments.references, self.judgments.judges))


def read_params() -> Params:
    """Read and check params.yaml whole."""
    return check(read_yaml(Path("params.yaml")), Params, "params.yaml: ")
