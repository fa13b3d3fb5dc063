"""Stage `benchmarks`: a trained student meets one benchmark, run by lm-eval."""

from pathlib import Path

import click

from alpacare.benchmarks.running import run_benchmark
from alpacare.benchmarks.settings import LmEvalSettings
from alpacare.compute.pretrained import ModelSource
from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.settings import load
from alpacare.prompting.student_prompt import StudentPrompt


@click.command(cls=Stage)
@click.argument("benchmark", type=FILE)
@click.argument("items", type=FILE)
@click.argument("checkpoint", type=FILE)
@click.argument("out", type=FILE)
@click.option("--run", type=FILE, required=True, help="How the results came about, as JSON.")
def main(benchmark: Path, items: Path, checkpoint: Path, out: Path, run: Path) -> None:
    """Let the model in CHECKPOINT meet the folder BENCHMARK with its ITEMS, and write OUT.

    \b
    Example:
      python -m alpacare.stages.benchmarks benchmarks/own-mcq data/benchmarks/own-mcq.jsonl \\
          models/checkpoint/all-rows/0 data/benchmark_results/own-mcq/all-rows/0.jsonl \\
          --run data/benchmark_results/own-mcq/all-rows/0.json
    """
    check_files([items], [out, run])
    settings = load("lm_eval", LmEvalSettings)
    prompt = StudentPrompt.read(checkpoint / "prompt")
    results = run_benchmark(benchmark, items, ModelSource(str(checkpoint)), prompt, settings)
    click.echo(results.save(out, run))


if __name__ == "__main__":
    main()
