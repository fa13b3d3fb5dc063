"""Stage `seeds`: seed tasks as people write them -> checked, normalised seeds.

Reads our own format and the published AlpaCare seed file (JSON or JSON Lines; ten types in 28
spellings, difficulty as text, "<noinput>"):

    {"type": "Open Q&A", "topic": "Neurology", "view": "Student", "difficulty": "1",
     "instruction": "Explain ...", "input": "<noinput>"}
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args

import click
from pydantic import Field

from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage
from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_file, read_json, read_text, write_json
from alpacare.core.settings import Settings, load
from alpacare.records.labels import canonical_difficulty, canonical_type, without_placeholder
from alpacare.records.task import Seed, TaskType, row_id

FIELDS = ("instruction", "input", "type", "topic", "view", "difficulty")


class SeedsSettings(Settings):
    """Section `seeds` of params.yaml."""

    take: int | None = Field(gt=0)


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
    seeds = normalise(read_source(source), source)[: settings.take]
    jsonl.write(out, seeds)
    write_json(metrics, count(seeds))
    write_table(table, seeds)
    click.echo(f"{len(seeds)} seed tasks in {len({s.topic for s in seeds})} topics")


def read_source(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, object) for each row of a JSON array or a JSON Lines file."""
    if not read_text(path).lstrip().startswith("["):
        return ((f"{path}:{number}", row) for number, row in jsonl.read_objects(path))
    rows = enumerate(read_json(path), start=1)
    return ((f"{path}: row {number}", row) for number, row in rows)


def normalise(rows: Iterable[tuple[str, dict[str, Any]]], source: Path) -> list[Seed]:
    """Check each row and give types, difficulty, input, topics and views one spelling.

    Raises:
        BadInput: no rows, a row that is no seed task, or the same task twice.
    """
    places: dict[str, str] = {}
    seeds: list[dict[str, Any]] = []
    for place, row in rows:
        seed = _normalise_row(row, place)
        if seed["id"] in places:
            raise BadInput(f"{place}: the same task as {places[seed['id']]}; keep one of them")
        places[seed["id"]] = place
        seeds.append(seed)
    if not seeds:
        raise BadInput(f"{source}: no seed tasks; write at least one JSON object a line")
    for field in ("topic", "view"):
        _unify_spelling(seeds, field)
    return [
        jsonl.validate(Seed, seed, place)
        for seed, place in zip(seeds, places.values(), strict=True)
    ]


def _normalise_row(row: Any, place: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise BadInput(f"{place}: expected a JSON object, found {type(row).__name__}")
    for key in row.keys() - {*FIELDS, "id"}:
        raise BadInput(f"{place}: unknown field '{key}'; a seed has {', '.join(FIELDS)}")
    seed = {field: _text(row, field, place) for field in FIELDS if field != "difficulty"}
    seed["input"] = without_placeholder(seed["input"])
    kind = canonical_type(seed["type"])
    if kind is None:
        raise BadInput(
            f"{place}: type '{seed['type']}' is none of the ten: {', '.join(get_args(TaskType))}"
        )
    difficulty = canonical_difficulty(row.get("difficulty"))
    if difficulty is None:
        raise BadInput(f"{place}: difficulty {row.get('difficulty')!r} is not a number from 1 to 5")
    id = row_id(seed["instruction"], seed["input"])
    return {"id": id, **seed, "type": kind, "difficulty": difficulty}


def _text(row: dict[str, Any], field: str, place: str) -> str:
    value = row.get(field)
    if value is None and field == "input":
        return ""
    if value is None or (isinstance(value, str) and not value.strip() and field != "input"):
        raise BadInput(f"{place}: '{field}' is missing or empty")
    if not isinstance(value, str):
        raise BadInput(f"{place}: '{field}' must be text, found {type(value).__name__}")
    return value.strip()


def _unify_spelling(seeds: list[dict[str, Any]], field: str) -> None:
    """Write values that differ only by case as the most frequent (then first) spelling."""
    spellings: dict[str, Counter[str]] = {}
    for seed in seeds:
        spellings.setdefault(seed[field].casefold(), Counter())[seed[field]] += 1
    for seed in seeds:
        seed[field] = spellings[seed[field].casefold()].most_common(1)[0][0]


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
    with atomic_file(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["field", "value", "count"])
        for field in ("type", "topic", "view", "difficulty"):
            counts = Counter(str(getattr(seed, field)) for seed in seeds)
            for value, number in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
                writer.writerow([field, value, number])


if __name__ == "__main__":
    main()
