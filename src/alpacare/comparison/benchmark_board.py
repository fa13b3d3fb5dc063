"""The leaderboard of a benchmark: all models, the best first, and which letters they choose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from alpacare.comparison.benchmark_runs import BenchmarkResults, Results
from alpacare.comparison.leaderboard import Duel, make_duels
from alpacare.comparison.model_runs import Model
from alpacare.evaluation.benchmark_score import Letter, chance, count_letters
from alpacare.evaluation.crossed import Parts, mean_win_rate
from alpacare.evaluation.score import Rate
from alpacare.evaluation.seed_variance import NOT_TRAINED, Runs, SeedVariance, pool_seeds
from alpacare.evaluation.several import Rank, rank
from alpacare.pipeline.params import Params

_UNRANKED = Rank(0, 0)


@dataclass(frozen=True)
class BenchmarkEntry:
    """One model: a row. `rate` is its mean score; counts are of items, summed over trainings."""

    model: Model
    runs: Runs
    seeds: SeedVariance
    rate: Rate
    parts: Parts
    letters: Mapping[str, Letter]
    n: int
    failures: int
    too_long: int
    cut_off: int
    rank: Rank = _UNRANKED


@dataclass(frozen=True)
class BenchmarkBoard:
    """A benchmark: models, the best first, and a line for each that has no results here."""

    name: str
    metric: str
    chance: float | None
    seeds: SeedVariance
    entries: list[BenchmarkEntry]
    duels: list[Duel]
    missing: list[str]


def make_benchmark_boards(params: Params, names: Sequence[str]) -> list[BenchmarkBoard]:
    """Make a board for each benchmark of which any results are here."""
    read = [BenchmarkResults.read(params, name) for name in names]
    return [_make_board(params, each) for each in read if each.found]


def _make_board(params: Params, results: BenchmarkResults) -> BenchmarkBoard:
    seeds = pool_seeds(results.trained)
    entries = [
        _make_entry(params, model, found, results.runs[model], seeds)
        for model, found in results.found.items()
    ]
    ordered = sorted(entries, key=lambda entry: -(entry.rate.win_rate or 0.0))
    ranks = rank([each.runs for each in ordered], [each.seeds for each in ordered], params.scores)
    entries = [replace(each, rank=rank) for each, rank in zip(ordered, ranks, strict=True)]
    rows = next(iter(results.found.values()))[0]
    return BenchmarkBoard(
        name=results.name,
        metric=results.metric,
        chance=chance(rows),
        seeds=seeds,
        entries=entries,
        duels=make_duels(params, entries),
        missing=results.missing,
    )


def _make_entry(
    params: Params, model: Model, found: Results, runs: Runs, pooled: SeedVariance
) -> BenchmarkEntry:
    seeds = pooled if model.seeds else NOT_TRAINED
    mean = mean_win_rate(runs, params.scores, seeds)
    rows = list(chain.from_iterable(found))
    return BenchmarkEntry(
        model=model,
        runs=runs,
        seeds=seeds,
        rate=mean.rate,
        parts=mean.parts,
        letters=count_letters(rows),
        n=len({row.id for row in rows}),
        failures=sum(row.score is None for row in rows),
        too_long=sum(row.too_long for row in rows),
        cut_off=sum(row.cut_off for row in rows),
    )
