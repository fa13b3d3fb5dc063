"""Results on benchmarks as they are in files: of a model, a list of items for each training."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from alpacare.comparison.model_runs import Model
from alpacare.core.errors import BadInput
from alpacare.core.files import read_json
from alpacare.evaluation.benchmark_score import item_scores
from alpacare.evaluation.seed_variance import Runs
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params
from alpacare.records.benchmark_result import BenchmarkResult, read_results

Results = Sequence[Sequence[BenchmarkResult]]  # one for each training seed, or one alone


def benchmark_models(params: Params) -> list[Model]:
    """Give every model that meets benchmarks: students, then those of `models.local`."""
    students = [Model(name, tuple(params.training_seeds)) for name in params.students]
    return students + [Model(name) for name in params.models.local]


def read_model(benchmark: str, model: Model) -> Results:
    """Read a model's results.

    Raises:
        BadInput: some are not here, or wrong.
    """
    files = [
        paths.benchmark_results(benchmark, model.name, seed) for seed in model.seeds or (None,)
    ]
    for path in files:
        if not path.exists():
            stage = "benchmarks" if model.seeds else "local_benchmarks"
            raise BadInput(f"{path}: not there yet; run `dvc repro {stage}`, or `dvc pull`")
    return [read_results(path) for path in files]


@dataclass(frozen=True)
class BenchmarkResults:
    """All results on one benchmark that are here, and a line for each model that lacks some."""

    name: str
    found: dict[Model, Results]
    missing: list[str]

    @classmethod
    def read(cls, params: Params, name: str) -> "BenchmarkResults":
        """Read what is here."""
        found, missing = {}, []
        for model in benchmark_models(params):
            try:
                found[model] = read_model(name, model)
            except BadInput as error:
                missing.append(f"{model.name}: {error}")
        return cls(name, found, missing)

    @property
    def metric(self) -> str:
        """The metric that scores an item; all models have the same."""
        model = next(iter(self.found))
        seed = model.seeds[0] if model.seeds else None
        path = paths.benchmark_results(self.name, model.name, seed)
        return str(read_json(path.with_suffix(".json"))["metric"])

    @cached_property
    def runs(self) -> dict[Model, Runs]:
        """Each model's scores by item, one mapping for each training."""
        return {model: list(map(item_scores, each)) for model, each in self.found.items()}

    @property
    def trained(self) -> list[Runs]:
        """Those of students."""
        return [runs for model, runs in self.runs.items() if model.seeds]
