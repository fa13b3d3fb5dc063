"""Stage `local_benchmarks`: other models that run here, such as the base, meet one benchmark."""

from pathlib import Path

import click

from alpacare.benchmarks.running import run_benchmark
from alpacare.benchmarks.settings import LmEvalSettings
from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.files import atomic_folder
from alpacare.core.settings import load
from alpacare.generation.local_models import find_local_model
from alpacare.records.comparisons import ModelsSettings


@click.command(cls=Stage)
@click.argument("benchmark", type=FILE)
@click.argument("items", type=FILE)
@click.argument("out", type=FILE)
@click.option("--models", type=FILE, required=True, help="Folder with a folder a model.")
@click.option("--base-model", type=FILE, required=True, help="What model `random` stands for.")
@click.option("--prompt", type=FILE, required=True, help="Folder with the student's templates.")
def main(
    benchmark: Path, items: Path, out: Path, models: Path, base_model: Path, prompt: Path
) -> None:
    """Let every model in `models.local` meet BENCHMARK with its ITEMS, and write OUT/NAME.jsonl.

    \b
    Example:
      python -m alpacare.stages.local_benchmarks benchmarks/own-mcq \\
          data/benchmarks/own-mcq.jsonl data/local_benchmark_results/own-mcq \\
          --models prompts/local_models --base-model models/base_model --prompt prompts/student
    """
    check_files([items], [])
    names = load("models", ModelsSettings).local
    settings = load("lm_eval", LmEvalSettings)
    found = [find_local_model(models / name, base_model, prompt) for name in names]
    with atomic_folder(out) as folder:
        for name, source, form in found:
            results = run_benchmark(benchmark, items, source, form, settings)
            click.echo(f"{name}: {results.save(folder / f'{name}.jsonl', folder / f'{name}.json')}")


if __name__ == "__main__":
    main()
