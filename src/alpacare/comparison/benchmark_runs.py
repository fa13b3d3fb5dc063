"""Results on benchmarks as they are in files: of a model, a list of items for each training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from alpacare.comparison.model_runs import Model
from alpacare.core.errors import BadInput
from alpacare.core.files import read_json
from alpacare.evaluation.benchmark_score import item_scores
from alpacare.evaluation.seed_variance import Runs
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params
from alpacare.records.benchmark_result import BenchmarkResult, read_results

_ASKED = ("few_shot", "chat_template", "limit", "dtype")
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
    files = _files(benchmark, model)
    for path in files:
        if not path.exists():
            stage = "benchmarks" if model.seeds else "local_benchmarks"
            raise BadInput(f"{path}: not there yet; run `dvc repro {stage}`, or `alpacare pull`")
    return [read_results(path) for path in files]


class How(NamedTuple):
    """How a model was scored and asked: its metric, and the settings that change answers."""

    metric: str
    settings: Mapping[str, Any]

    def differs(self, other: "How") -> str:
        """Say in what it differs from another; "" if in nothing."""
        now, then = ({"metric": each.metric, **each.settings} for each in (self, other))
        return "; ".join(f"{n}: {now[n]}, not {then[n]}" for n in now if now[n] != then[n])


def read_how(path: Path) -> How:
    """Read how results came about, from the JSON file beside them.

    Raises:
        BadInput: it is not there, or names no metric.
    """
    run = read_json(path)
    if not isinstance(run, dict) or not isinstance(run.get("metric"), str):
        raise BadInput(f"{path}: names no metric; run `dvc repro benchmarks local_benchmarks`")
    settings = run.get("settings") or {}
    return How(run["metric"], {name: settings.get(name) for name in _ASKED})


def _check_alike(path: Path, first: How | None) -> How:
    how = read_how(path)
    if first and (differs := how.differs(first)):
        raise BadInput(
            f"{path}: not comparable, made with {differs}; run `dvc repro benchmarks "
            "local_benchmarks`"
        )
    return how


def _files(benchmark: str, model: Model) -> list[Path]:
    return [paths.benchmark_results(benchmark, model.name, seed) for seed in model.seeds or (None,)]


@dataclass(frozen=True)
class BenchmarkResults:
    """All results on one benchmark that are here, and a line for each model that lacks some.

    All are by one `metric` and `settings`: a model that was asked otherwise lacks results, too.
    """

    name: str
    found: dict[Model, Results]
    missing: list[str]
    metric: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, params: Params, name: str) -> "BenchmarkResults":
        """Read what is here."""
        found, missing = {}, []
        first: How | None = None
        for model in benchmark_models(params):
            try:
                runs = read_model(name, model)
                for path in _files(name, model):
                    first = _check_alike(path.with_suffix(".json"), first)
                found[model] = runs
            except BadInput as error:
                missing.append(f"{model.name}: {error}")
        return cls(name, found, missing, *(first or ()))

    @cached_property
    def runs(self) -> dict[Model, Runs]:
        """Each model's scores by item, one mapping for each training."""
        return {model: list(map(item_scores, each)) for model, each in self.found.items()}

    @property
    def trained(self) -> list[Runs]:
        """Those of students."""
        return [runs for model, runs in self.runs.items() if model.seeds]
