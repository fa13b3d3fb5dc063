"""Stage `statistics`: what a dataset looks like, as metrics and plots in Git.

It describes the training data; as stage `seed_statistics`, the seed tasks; as `task_statistics`,
the kept instructions. Those it compares with the seeds and not with each other, since `statistics`
does that for the same rows.
"""

from collections.abc import Sequence
from pathlib import Path

import click

from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.csv_files import write_csv
from alpacare.core.errors import BadInput
from alpacare.core.files import write_json
from alpacare.core.progress import track
from alpacare.core.texts import counted
from alpacare.statistics.dataset import (
    DatasetRow,
    NearestScores,
    describe_dataset,
    make_tables,
)
from alpacare.statistics.verbs import root_verb


@click.command(cls=Stage)
@click.argument("rows", type=FILE)
@click.argument("metrics", type=FILE)
@click.option("--kinds", type=FILE, required=True, help="Types, topics, views, difficulty: CSV.")
@click.option("--verbs", type=FILE, required=True, help="Root verbs and objects: CSV.")
@click.option("--lengths", type=FILE, required=True, help="Lengths in words: CSV.")
@click.option("--nearest", type=FILE, required=True, help="ROUGE-L with the nearest text: CSV.")
@click.option("--seeds", type=FILE, help="Compare the rows with these seeds, not with each other.")
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
      python -m alpacare.stages.statistics data/seeds.jsonl metrics/seed_statistics.json \\
          --kinds metrics/seed_statistics/kinds.csv --verbs metrics/seed_statistics/verbs.csv \\
          --lengths metrics/seed_statistics/lengths.csv \\
          --nearest metrics/seed_statistics/nearest.csv
    """
    paths = {"kinds": kinds, "verbs": verbs, "lengths": lengths, "nearest": nearest}
    check_files([rows, seeds], [metrics, *paths.values()])
    described = _read(rows)
    scores = _nearest(described, _read(seeds) if seeds else [])
    found = [root_verb(row.instruction) for row in described]
    figures = describe_dataset(described, found, scores)
    write_json(metrics, figures)
    for name, table in make_tables(described, found, scores).items():
        write_csv(paths[name], table)
    pairs, types = figures["verbs"], figures["kinds"]["type"]
    click.echo(
        f"{counted(len(described), 'row')}, {figures['without_input']} without input; "
        f"{counted(types['distinct'], 'type') if types else 'unknown types'}; "
        f"{counted(pairs['distinct_pairs'], 'pair')} of verb and object in "
        f"{counted(pairs['with_object'], 'row')}"
    )


def _nearest(rows: Sequence[DatasetRow], seeds: Sequence[DatasetRow]) -> NearestScores:
    """Score rows with their nearest seed, or without seeds with their nearest row."""
    from alpacare.statistics.nearest import nearest_among, nearest_of, sample

    texts = [row.instruction for row in rows]
    if seeds:
        return NearestScores(seeds=nearest_of(texts, [row.instruction for row in seeds]).tolist())
    places = sample([row.id for row in rows])
    with track("statistics", len(places), "rows") as advance:
        if len(places) == len(texts):
            scores = nearest_among(texts, lambda done: advance(done, ""))
        else:
            some = [texts[place] for place in places]
            scores = nearest_of(some, texts, places, lambda done: advance(done, ""))
    return NearestScores(rows=scores.tolist())


def _read(path: Path) -> list[DatasetRow]:
    rows = jsonl.read(path, DatasetRow, unique="id")
    if not rows:
        raise BadInput(f"{path}: no rows to describe")
    return rows


if __name__ == "__main__":
    main()
