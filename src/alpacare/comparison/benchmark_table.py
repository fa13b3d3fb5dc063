"""`alpacare table` of benchmarks: those of the AlpaCare and BioInstruct papers, with intervals.

AlpaCare: medical benchmarks and their mean, then general ones. BioInstruct: question answering,
information extraction and generation, and what training gains over the untuned base in percent of
the base's score. Which group a benchmark is in, its task.yaml says.

A mean over k benchmarks has the mean of their scores. Their items are independent: those parts of
the half widths add up as squares. The luck of training is the same training on all of them, so
those parts are added as they are: the interval is never too narrow for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import hypot
from statistics import fmean

from alpacare.benchmarks.task_file import Group, read_task
from alpacare.comparison.benchmark_runs import BenchmarkResults
from alpacare.comparison.model_runs import Model
from alpacare.comparison.paper_table import Column, TableRow, render_table
from alpacare.core.errors import BadInput
from alpacare.evaluation.crossed import Parts, mean_win_rate
from alpacare.evaluation.paired_comparison import compare
from alpacare.evaluation.score import Rate
from alpacare.evaluation.seed_variance import NOT_TRAINED, pool_seeds
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params, read_params

_AVG = "AVG"
MEDICAL: Mapping[str, tuple[Group, ...]] = {
    "medical": ("qa", "extraction", "generation"),
    "general": ("general",),
}
BIOINSTRUCT: Mapping[str, tuple[Group, ...]] = {
    "QA": ("qa",),
    "information extraction": ("extraction",),
    "generation": ("generation",),
}


@dataclass(frozen=True)
class _Figure:
    """A score or a difference, and what its half width is made of; `rate` has its own interval."""

    value: float
    parts: Parts
    n: int
    rate: Rate | None = None


def format_benchmark_table(form: str, style: str) -> str:
    """Give the table of style `alpacare` or `bioinstruct` as Markdown or LaTeX.

    Raises:
        BadInput: no benchmark of params.yaml that belongs there has results here.
    """
    params = read_params()
    read = [BenchmarkResults.read(params, name) for name in params.benchmarks]
    results = {each.name: each for each in read if each.found}
    columns = list(_columns(list(results), BIOINSTRUCT if style == "bioinstruct" else MEDICAL))
    if not columns:
        raise BadInput(
            "no benchmark of params.yaml has results here; name some in `benchmarks`, then run "
            "`dvc repro benchmarks local_benchmarks`"
        )
    shown = {name: results[name] for column in columns for name in column.references}
    lines = list(_rows(params, shown, columns, style))
    return render_table(form, columns, lines, _note(params, shown, style), first="")


def _columns(names: Sequence[str], groups: Mapping[str, tuple[Group, ...]]) -> Iterator[Column]:
    """Give a column for each benchmark, and behind the two or more of a group their mean."""
    known = {name: read_task(*paths.benchmark(name)).group for name in names}
    for title, parts in groups.items():
        members = tuple(name for name in names if known[name] in parts)
        yield from (Column(title, name, (name,)) for name in members)
        if len(members) > 1:
            yield Column(title, _AVG, members)


def _rows(
    params: Params, results: Mapping[str, BenchmarkResults], columns: Sequence[Column], style: str
) -> Iterator[TableRow]:
    models = list(dict.fromkeys(model for each in results.values() for model in each.found))
    for place, model in enumerate(models):
        found = [_score(params, results, model, column.references) for column in columns]
        yield TableRow("", "score" if place == 0 else "", model.name, list(map(_rate, found)))
    base = next((model for model in models if not model.seeds), None)
    students = [model for model in models if model.seeds]
    for place, model in enumerate(students if base and style == "bioinstruct" else []):
        assert base
        gains = [_gain(params, results, base, model, column.references) for column in columns]
        title = f"gain over {base.name}" if place == 0 else ""
        yield TableRow("", title, model.name, list(map(_rate, gains)))


def _score(
    params: Params, results: Mapping[str, BenchmarkResults], model: Model, names: Sequence[str]
) -> _Figure | None:
    figures = []
    for each in (results[name] for name in names):
        if model not in each.runs:
            return None
        seeds = pool_seeds(each.trained) if model.seeds else NOT_TRAINED
        mean = mean_win_rate(each.runs[model], params.scores, seeds)
        if mean.rate.win_rate is None:
            return None
        figures.append(_Figure(mean.rate.win_rate, mean.parts, mean.rate.n, mean.rate))
    if len(figures) == 1:
        return figures[0]
    whole = _mean(figures)
    half = whole.parts.whole()
    low, high = max(0.0, whole.value - half), min(1.0, whole.value + half)  # it is a share
    return replace(whole, rate=Rate(win_rate=whole.value, ci_low=low, ci_high=high, n=whole.n))


def _gain(
    params: Params,
    results: Mapping[str, BenchmarkResults],
    base: Model,
    model: Model,
    names: Sequence[str],
) -> _Figure | None:
    """Give the paired difference from the base as a share of the base's score."""
    below = _score(params, results, base, names)
    figures = []
    for each in (results[name] for name in names):
        if base not in each.runs or model not in each.runs:
            return None
        seeds = NOT_TRAINED, pool_seeds(each.trained)
        found = compare(each.runs[base], each.runs[model], params.scores, seeds=seeds).difference
        if found is None:
            return None
        figures.append(_Figure(found.change, found.parts, found.n))
    if below is None or below.value <= 0:
        return None
    whole = _mean(figures)
    scaled = Parts(*(part / below.value for part in whole.parts))
    return _Figure(whole.value / below.value, scaled, whole.n)


def _mean(figures: Sequence[_Figure]) -> _Figure:
    k = len(figures)
    items = hypot(*(each.parts.items for each in figures)) / k
    training = sum(each.parts.training for each in figures) / k
    value = fmean(each.value for each in figures)
    return _Figure(value, Parts(items, training, 0.0), sum(each.n for each in figures))


def _rate(found: _Figure | None) -> Rate | None:
    if found is None or found.rate:
        return found.rate if found else None
    half = found.parts.whole()
    return Rate(
        win_rate=found.value, ci_low=found.value - half, ci_high=found.value + half, n=found.n
    )


def _note(params: Params, results: Mapping[str, BenchmarkResults], style: str) -> str:
    shots = list(dict.fromkeys(each.settings.get("few_shot") for each in results.values()))
    told = " or ".join("as in each task" if each is None else str(each) for each in shots)
    items = ", ".join(
        f"{len({id for run in next(iter(each.runs.values())) for id in run}):,} of {name} "
        f"({each.metric})"
        for name, each in results.items()
    )
    gain = (
        " Gain: the paired difference in % of the untuned model's score, which counts as known."
        if style == "bioinstruct"
        else ""
    )
    return (
        f"Benchmarks by lm-eval, in % with {100 * params.scores.confidence:g} % intervals over "
        f"items and training seeds; items: {items}; few-shot examples: {told}.{gain}"
    )
