"""The results of a benchmark item: what each run chose or wrote, and its score."""

from typing import Any

from alpacare.lineage.rows import RowReader
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params

_RESULT = ("chosen", "output", "score", "likelihoods", "too_long", "cut_off")


def trace_benchmark_item(id: str, params: Params, reader: RowReader) -> list[dict[str, Any]]:
    """Give, for each benchmark with this item, every run's `result`; null if it was not asked."""
    runs = [*params.runs(), *((name, None) for name in params.models.local)]
    return [
        {
            "benchmark": name,
            "results": [
                {"model": model, "seed": seed, "result": _result(id, name, model, seed, reader)}
                for model, seed in runs
            ],
        }
        for name in params.benchmarks
        if reader.one(paths.benchmark(name)[1], id)
    ]


def _result(
    id: str, benchmark: str, model: str, seed: int | None, reader: RowReader
) -> dict[str, Any] | None:
    found = reader.one(paths.benchmark_results(benchmark, model, seed), id)
    return {name: found.row[name] for name in _RESULT} if found else None
