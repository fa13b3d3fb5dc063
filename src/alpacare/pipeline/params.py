"""The whole of params.yaml, checked; what is compared with what."""

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Annotated, ClassVar, NamedTuple, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from alpacare.benchmarks.settings import LmEvalSettings
from alpacare.core.hosts import Hosts
from alpacare.core.names import NAME, Names, Slug, Slugs, refuse_repeated
from alpacare.core.settings import Settings, check, read_yaml
from alpacare.datasets.seed_files import SeedsSettings
from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.score import Cell
from alpacare.filtering.settings import ContaminationSettings, FilteredSettings
from alpacare.generation.settings import GenerationsSettings
from alpacare.instructions.settings import InstructionsSettings
from alpacare.llm.endpoints import Endpoint
from alpacare.llm.task_requests import ResponsesSettings
from alpacare.records.comparisons import JudgmentsSettings, ModelsSettings
from alpacare.training.curves import TrainingCurvesSettings
from alpacare.training.settings import BaseModelSettings, CheckpointSettings, TrainingSettings
from alpacare.verification.checking import VerifiedSettings

_IMPORTED = f"imported/{NAME}"
Seed = Annotated[int, Field(ge=0)]


class Run(NamedTuple):
    """One training of a student: it, and the training seed."""

    student: str
    seed: int

    def __str__(self) -> str:
        return f"{self.student}, seed {self.seed}"


class SourcesSettings(Settings):
    """Section `sources`: where stages start, files under data/ without their ending."""

    seeds: Annotated[str, StringConstraints(pattern=rf"^seeds/{NAME}$")]
    instructions: Annotated[str, StringConstraints(pattern=rf"^(instructions|{_IMPORTED})$")]
    verified: Annotated[str, StringConstraints(pattern=rf"^(responses|{_IMPORTED})$")] = "responses"
    responses: Annotated[
        str, StringConstraints(pattern=rf"^(responses|{_IMPORTED}|verified/{NAME})$")
    ]
    categories: Slug

    @property
    def verifier(self) -> str | None:
        """Who has checked what students learn from, if anyone has."""
        folder, _, name = self.responses.partition("/")
        return name if folder == "verified" else None

    @property
    def answers(self) -> str:
        """The file of answers that students learn from, before any are dropped by a verifier."""
        return self.verified if self.verifier else self.responses


class Params(Settings):
    """The whole of params.yaml."""

    renamed: ClassVar[Mapping[str, str]] = {
        "curves": "training_curves",
        "references": "models, and judgments.references names who is a reference",
    }
    tests: Slugs
    students: Slugs
    benchmarks: Names
    training_seeds: Annotated[list[Seed], AfterValidator(refuse_repeated), Field(min_length=1)]
    models: ModelsSettings
    judgments: JudgmentsSettings
    labels: Names = Field(default=[])
    verifiers: Names = Field(default=[])  # settings of earlier commits have none
    categories: Names
    hosts: Hosts = None
    endpoints: dict[str, Endpoint]
    sources: SourcesSettings
    seeds: SeedsSettings
    instructions: InstructionsSettings
    filtered: FilteredSettings
    student_rows: ContaminationSettings
    responses: ResponsesSettings
    verified: VerifiedSettings = VerifiedSettings(action="drop", planted_errors=100, seed=0)
    base_model: BaseModelSettings
    checkpoint: CheckpointSettings
    training: TrainingSettings
    training_curves: TrainingCurvesSettings
    generations: GenerationsSettings
    lm_eval: LmEvalSettings
    scores: Resampling

    @model_validator(mode="after")
    def _no_test_set_is_a_benchmark(self) -> Self:
        for name in self.benchmarks:
            if name in self.tests:
                raise ValueError(f"benchmarks: '{name}' is also in tests; rename one of them")
        return self

    @model_validator(mode="after")
    def _known_models(self) -> Self:
        judged = self.judgments
        for key in ("references", "contestants"):
            for name in getattr(judged, key):
                if name in self.students:
                    raise ValueError(
                        f"judgments.{key}: '{name}' is a student; students compete anyway, and "
                        "one of them can be a reference: judgments.head_to_head"
                    )
                if name not in self.models.names:
                    known = ", ".join(self.models.names)
                    raise ValueError(f"judgments.{key}: '{name}' is not in models: {known}")
        for name in self.students:
            if name in self.models.names:
                raise ValueError(f"students: '{name}' is also in models; rename one of them")
        if judged.head_to_head not in self.students:
            known = ", ".join(self.students)
            raise ValueError(
                f"judgments.head_to_head: '{judged.head_to_head}' is not in students: {known}"
            )
        return self

    @model_validator(mode="after")
    def _known_names(self) -> Self:
        named = [
            ("instructions.endpoint", self.instructions.endpoint),
            ("responses.endpoint", self.responses.endpoint),
            *(("generations.servers", name) for name in self.generations.servers),
        ]
        for key, name in named:
            if name not in self.endpoints:
                known = ", ".join(self.endpoints)
                raise ValueError(f"{key}: '{name}' is not in endpoints: {known}")
        if self.sources.categories not in ("none", *self.categories):
            raise ValueError(
                f"sources.categories: '{self.sources.categories}' is not in categories; without "
                "one write none"
            )
        return self

    @model_validator(mode="after")
    def _known_verifiers(self) -> Self:
        sources = self.sources
        if sources.verifier and sources.verifier not in self.verifiers:
            known = ", ".join(self.verifiers) or "nobody"
            raise ValueError(
                f"sources.responses: '{sources.verifier}' is not in verifiers: {known}"
            )
        if self.verifiers and sources.verified == "responses" != sources.answers:
            raise ValueError(
                f"sources.verified: students learn from {sources.answers}, so nobody writes "
                f"responses; write sources.verified: {sources.answers}, or verifiers: []"
            )
        return self

    def runs(self) -> list[Run]:
        """Every student with every training seed."""
        return [Run(*each) for each in product(self.students, self.training_seeds)]

    def cells(self) -> list[Cell]:
        """Every comparison that is judged and scored: students first, in the order of params."""
        judged = self.judgments
        pairs: list[tuple[str, int | None, str]] = [
            (run.student, run.seed, reference)
            for run in self.runs()
            for reference in judged.references_of_student(run.student)
        ]
        pairs += [
            (name, None, reference)
            for name in judged.contestants
            for reference in judged.references_of(name)
        ]
        return [
            Cell(test, *pair, judge)
            for test, pair, judge in product(self.tests, pairs, judged.all_judges)
        ]


def read_params() -> Params:
    """Read and check params.yaml whole."""
    return check(read_yaml(Path("params.yaml")), Params, "params.yaml: ")
