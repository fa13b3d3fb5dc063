"""`alpacare compare A B --test BENCHMARK`: two models, item by item, over training seeds."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alpacare.comparison.benchmark_print import metric_name
from alpacare.comparison.benchmark_runs import (
    BenchmarkResults,
    How,
    benchmark_models,
    read_how,
    read_model,
)
from alpacare.comparison.model_runs import Model
from alpacare.comparison.revisions import open_revision, trainings_behind
from alpacare.comparison.sentences import (
    describe_difference,
    describe_left_out,
    describe_parts,
    describe_pool,
)
from alpacare.core.errors import BadInput
from alpacare.core.settings import read_yaml
from alpacare.core.texts import counted, escape_controls
from alpacare.evaluation.benchmark_score import item_scores, mcnemar
from alpacare.evaluation.paired_comparison import Comparison, compare, paired_seeds
from alpacare.evaluation.score_table import percent
from alpacare.evaluation.seed_variance import NOT_TRAINED, Runs, Seeds, pool_seeds
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params, read_params
from alpacare.records.benchmark_result import read_results

_LEGEND = """\
Scores in %; in brackets {:g} % intervals over items and training seeds, paired by item. \
McNemar: the exact test of the items that only one of the two has right, within one \
training of each; it says nothing of other trainings. Uncertainty: half the width of \
the interval by cause; the squares add up."""


@dataclass(frozen=True)
class _Side:
    """A model's runs on a benchmark; `trainings` gives the hashes of its checkpoints."""

    label: str
    model: Model
    runs: Runs
    how: How
    trainings: Callable[[], Mapping[str, str]]


def print_benchmark_comparison(first: str, second: str, name: str) -> None:
    """Compare two models on a benchmark, each NAME or NAME@COMMIT, and print what differs.

    Raises:
        BadInput: a name or commit is unknown, both are the same, or one has no results.
    """
    from rich.console import Console

    if first == second:
        raise BadInput(f"{first} and {second} are the same; name two models, or NAME@COMMIT")
    params = read_params()
    with _open(first, name) as one, _open(second, name) as other:
        if one.how.metric != other.how.metric:
            raise BadInput(f"{first} and {second}: not comparable, {_asked_otherwise(one, other)}")
        seeds = _seeds(params, one, other, name)
        paired = _same_trainings(one, other)
        found = compare(one.runs, other.runs, params.scores, same_seeds=paired, seeds=seeds)
    if found.difference is None:
        raise BadInput(f"{first} and {second}: no item of {name} that both have a score on")
    console = Console(highlight=False, markup=False, emoji=False)
    for line in _describe(name, one, other, found):
        console.print(escape_controls(line))
    console.print()
    console.print(_LEGEND.format(100 * params.scores.confidence))
    if pool := describe_pool(max(seeds, key=lambda each: each.students)):
        console.print(pool)


def _describe(name: str, one: _Side, other: _Side, found: Comparison) -> Iterator[str]:
    difference = found.difference
    assert difference
    yield f"{name}, {metric_name(one.how.metric)}, {counted(difference.n, 'item')}:"
    yield f"  {one.label} {percent(difference.then)}, {other.label} {percent(difference.now)}"
    yield f"  {other.label} against {one.label}: {describe_difference(difference)}"
    yield f"  Uncertainty in points: {describe_parts(difference.parts, difference.one_seed)}."
    if one.how != other.how:
        yield f"  Asked in two ways: {_asked_otherwise(one, other)}."
    if left_out := describe_left_out(found, one.label, other.label, "a score"):
        yield f"  Left out: {left_out}."
    yield from _describe_mcnemar(one, other)


def _asked_otherwise(one: _Side, other: _Side) -> str:
    return f"{other.label} was made with {other.how.differs(one.how)}"


def _describe_mcnemar(one: _Side, other: _Side) -> Iterator[str]:
    """Test each pair of trainings with the same seed; a model without seeds meets all."""
    seeds: list[int | None] = [*sorted({*one.model.seeds, *other.model.seeds})] or [None]
    for seed in seeds:
        runs = [_run(side, seed) for side in (one, other)]
        if runs[0] is None or runs[1] is None or not (test := mcnemar(runs[0], runs[1])):
            continue
        told = f"{test.only_first} right only by {one.label}, {test.only_second} by {other.label}"
        within = "" if seed is None else f"seed {seed}: "
        yield f"  {within}{told}; exact McNemar p = {test.p:.2g}."


def _run(side: _Side, seed: int | None) -> Mapping[str, float] | None:
    if not side.model.seeds:
        return side.runs[0]
    return side.runs[side.model.seeds.index(seed)] if seed in side.model.seeds else None


def _same_trainings(one: _Side, other: _Side) -> bool:
    return one.model == other.model and one.trainings() == other.trainings()


def _seeds(params: Params, one: _Side, other: _Side, name: str) -> Seeds:
    """Give the luck of training of both, pooled over them and all other students here."""
    if _same_trainings(one, other):
        return paired_seeds([(one.runs, other.runs)], bool(one.model.seeds))
    here = {one.model.name, other.model.name}
    others = BenchmarkResults.read(params, name).runs
    pooled = pool_seeds(
        [
            *(side.runs for side in (one, other) if side.model.seeds),
            *(runs for model, runs in others.items() if model.seeds and model.name not in here),
        ]
    )
    first, second = (pooled if side.model.seeds else NOT_TRAINED for side in (one, other))
    return first, second


@contextmanager
def _open(label: str, benchmark: str) -> Iterator[_Side]:
    """Open NAME, of the working tree, or NAME@COMMIT.

    Raises:
        BadInput: there is no such commit, no such model in its params.yaml, or no results.
    """
    name, _, rev = label.partition("@")
    if "@" not in label:
        model = _find_model(name, read_yaml(Path("params.yaml")), label)
        runs = list(map(item_scores, read_model(benchmark, model)))
        how = read_how(Path(_files(benchmark, model)[0]).with_suffix(".json"))
        yield _Side(label, model, runs, how, lambda: _trainings_here(_files(benchmark, model)))
        return
    with open_revision(rev) as revision:
        model = _find_model(name, revision.read("params.yaml", read_yaml), label)
        files = _files(benchmark, model)
        for file in files:
            if not revision.has(file):
                raise BadInput(f"{revision.name(file)}: {label} has no results on {benchmark}")
        runs = [item_scores(revision.read(file, read_results)) for file in files]
        how = revision.read(str(Path(files[0]).with_suffix(".json")), read_how)
        yield _Side(label, model, runs, how, lambda: trainings_behind(revision, files))


def _files(benchmark: str, model: Model) -> list[str]:
    seeds = model.seeds or (None,)
    return [str(paths.benchmark_results(benchmark, model.name, seed)) for seed in seeds]


def _trainings_here(files: list[str]) -> Mapping[str, str]:
    with open_revision(None) as revision:
        return trainings_behind(revision, files)


def _find_model(name: str, settings: Mapping[str, Any], label: str) -> Model:
    try:
        students, local = settings["students"], settings["models"]["local"]
        seeds = settings["training_seeds"]
    except (KeyError, TypeError) as error:
        raise BadInput(f"{label}: its params.yaml is older than this pipeline") from error
    if name not in (*students, *local):
        known = ", ".join([*students, *local])
        raise BadInput(f"{label}: no model '{name}' that meets benchmarks; there are: {known}")
    return Model(name, tuple(seeds) if name in students else ())


def comparable_benchmarks(first: str, second: str) -> list[str]:
    """Name the benchmarks of params.yaml that both models of today have results on."""
    params = read_params()
    models = {model.name for model in benchmark_models(params)}
    if not {first, second} <= models:
        return []
    found = (BenchmarkResults.read(params, name) for name in params.benchmarks)
    return [each.name for each in found if {first, second} <= {model.name for model in each.found}]
