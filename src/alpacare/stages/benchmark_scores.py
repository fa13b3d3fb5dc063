"""Stage `benchmark_scores`: results on a benchmark, item by item -> scores with intervals."""

from pathlib import Path

import click

from alpacare.core.command import FILE, Stage
from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_folder, read_json, write_json
from alpacare.core.settings import load
from alpacare.evaluation.benchmark_score import score_benchmark
from alpacare.evaluation.bootstrap import Resampling
from alpacare.records.benchmark_result import read_results


@click.command(cls=Stage)
@click.argument("results", type=FILE)
@click.argument("out", type=FILE)
def main(results: Path, out: Path) -> None:
    """Score RESULTS, a file of one model or a folder with one for each, and write OUT.

    \b
    Example:
      python -m alpacare.stages.benchmark_scores \\
          data/benchmark_results/own-mcq/all-rows/0.jsonl \\
          metrics/benchmark_scores/own-mcq/all-rows/0.json
    """
    how = load("scores", Resampling)
    if results.suffix == ".jsonl":
        write_json(out, _score(results, how))
        return
    with atomic_folder(out) as folder:
        for path in sorted(results.glob("*.jsonl")):
            write_json(folder / f"{path.stem}.json", _score(path, how))


def _score(path: Path, how: Resampling) -> dict[str, object]:
    run = read_json(path.with_suffix(".json"))
    metric = run.get("metric") if isinstance(run, dict) else None
    if not isinstance(metric, str):
        raise BadInput(f"{path.with_suffix('.json')}: names no metric; run `dvc repro benchmarks`")
    return score_benchmark(read_results(path), metric, how).model_dump()


if __name__ == "__main__":
    main()
