"""Stage `statistics`: what a dataset looks like, as metrics and plots in Git.

Of what the student learns from; as stage `seed_statistics`, of the seeds; as `task_statistics`, of
the instructions that were kept.
"""

import csv
from collections.abc import Sequence
from pathlib import Path

import click

from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_file, write_json
from alpacare.core.progress import track
from alpacare.statistics import dataset
from alpacare.statistics.dataset import Described, Nearest, Table
from alpacare.statistics.verbs import root_verb

_HEADERS = {
    "kinds": ("field", "value", "rows"),
    "verbs": ("verb", "object", "rows"),
    "lengths": ("text", "from", "to", "rows"),
    "nearest": ("among", "from", "to", "rows"),
}


@click.command(cls=Stage)
@click.argument("rows", type=FILE)
@click.argument("metrics", type=FILE)
@click.option("--kinds", type=FILE, required=True, help="Types, topics, views, difficulty: CSV.")
@click.option("--verbs", type=FILE, required=True, help="Root verbs and objects: CSV.")
@click.option("--lengths", type=FILE, required=True, help="Lengths in words: CSV.")
@click.option("--nearest", type=FILE, required=True, help="ROUGE-L with the nearest row: CSV.")
@click.option("--seeds", type=FILE, help="Say how near the rows are to these seeds, too.")
def main(
    rows: Path,
    metrics: Path,
    kinds: Path,
    verbs: Path,
    lengths: Path,
    nearest: Path,
    seeds: Path | None,
) -> None:
    """Describe the dataset ROWS (seeds, instructions or responses) in METRICS and four tables.

    \b
    Example:
      python -m alpacare.stages.statistics data/seeds.jsonl metrics/statistics/seeds.json \\
          --kinds metrics/statistics/seeds/kinds.csv --verbs metrics/statistics/seeds/verbs.csv \\
          --lengths metrics/statistics/seeds/lengths.csv \\
          --nearest metrics/statistics/seeds/nearest.csv
    """
    tables = {"kinds": kinds, "verbs": verbs, "lengths": lengths, "nearest": nearest}
    check_files([rows, seeds], [metrics, *tables.values()])
    described = _read(rows)
    near = measure(described, _read(seeds) if seeds else None)
    found = [root_verb(row.instruction) for row in described]
    figures = dataset.describe(described, found, near)
    content: dict[str, Table] = {
        "kinds": dataset.kinds_table(described),
        "verbs": dataset.verbs_table(found),
        "lengths": dataset.lengths_table(described),
        "nearest": dataset.nearest_table(near),
    }
    write_json(metrics, figures)
    for name, path in tables.items():
        _write(path, _HEADERS[name], content[name])
    pairs, types = figures["verbs"], figures["kinds"]["type"]
    click.echo(
        f"{len(described)} rows, {figures['without_input']} without input; "
        f"{types['distinct'] if types else 'unknown'} types; "
        f"{pairs['distinct_pairs']} pairs of verb and object in {pairs['with_object']} rows"
    )


def measure(rows: Sequence[Described], seeds: Sequence[Described] | None) -> Nearest:
    """Find how near each row is to another, and to a seed; a sample of rows if they are many."""
    from alpacare.statistics.nearest import nearest_among, nearest_of, sample

    texts = [row.instruction for row in rows]
    drawn = sample([row.id for row in rows])
    some = [texts[place] for place in drawn]
    with track("statistics", len(drawn), "rows") as advance:
        if len(some) == len(texts):
            near = nearest_among(texts, lambda done: advance(done, ""))
        else:
            near = nearest_of(some, texts, drawn, lambda done: advance(done, ""))
    among = nearest_of(some, [seed.instruction for seed in seeds]).tolist() if seeds else None
    return Nearest(near.tolist(), among)


def _read(path: Path) -> list[Described]:
    rows = jsonl.read(path, Described, unique="id")
    if not rows:
        raise BadInput(f"{path}: no rows to describe")
    return rows


def _write(path: Path, header: Sequence[str], rows: Table) -> None:
    with atomic_file(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
