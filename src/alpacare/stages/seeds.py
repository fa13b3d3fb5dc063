"""Stage `seeds`: seed tasks as people write them -> checked, normalised seeds.

Reads our own format and the published AlpaCare seed file (JSON or JSON Lines; ten types in 28
spellings, difficulty as text, "<noinput>"):

    {"type": "Open Q&A", "topic": "Neurology", "view": "Student", "difficulty": "1",
     "instruction": "Explain ...", "input": "<noinput>"}
"""

from collections import Counter
from pathlib import Path
from typing import Any

import click

from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage
from alpacare.core.csv_files import write_csv
from alpacare.core.files import write_json
from alpacare.core.settings import load
from alpacare.core.texts import counted
from alpacare.datasets.outcome import describe_repairs
from alpacare.datasets.seed_choice import take_seeds
from alpacare.datasets.seed_files import SeedsSettings, read_seeds
from alpacare.records.task import Seed


@click.command(cls=Stage)
@click.argument("source", type=FILE)
@click.argument("out", type=FILE)
@click.option("--metrics", type=FILE, required=True, help="Counts, as JSON.")
@click.option("--table", type=FILE, required=True, help="Every value and its count, as CSV.")
def main(source: Path, out: Path, metrics: Path, table: Path) -> None:
    """Check and normalise the seed tasks in SOURCE (JSON or JSON Lines) and write OUT.

    \b
    Example:
      python -m alpacare.stages.seeds my_seeds.json data/seeds.jsonl \\
          --metrics metrics/seeds.json --table metrics/seeds.csv
    """
    settings = load("seeds", SeedsSettings)
    repairs: Counter[str] = Counter()
    seeds = take_seeds(read_seeds(source, repairs), settings.take, settings.seed)
    jsonl.write(out, seeds)
    write_json(metrics, count(seeds))
    write_table(table, seeds)
    topics = counted(len({seed.topic for seed in seeds}), "topic")
    click.echo(f"{counted(len(seeds), 'seed task')} in {topics}")
    for line in describe_repairs(repairs):
        click.echo(line)


def count(seeds: list[Seed]) -> dict[str, Any]:
    """Count seeds, those without input, distinct topics and views, and each type and difficulty."""
    return {
        "seeds": len(seeds),
        "without_input": sum(not seed.input for seed in seeds),
        "topics": len({seed.topic for seed in seeds}),
        "views": len({seed.view for seed in seeds}),
        "types": dict(sorted(Counter(seed.type for seed in seeds).items())),
        "difficulty": {
            str(k): v for k, v in sorted(Counter(seed.difficulty for seed in seeds).items())
        },
    }


def write_table(path: Path, seeds: list[Seed]) -> None:
    """Write every type, topic, view and difficulty with its count, most frequent first."""
    rows: list[tuple[object, ...]] = [("field", "value", "count")]
    for field in ("type", "topic", "view", "difficulty"):
        counts = Counter(str(getattr(seed, field)) for seed in seeds)
        most_first = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        rows += [(field, value, number) for value, number in most_first]
    write_csv(path, rows)


if __name__ == "__main__":
    main()
