"""Stage `category_counts`: how many instructions are in each group, as metrics in Git."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import click

from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.errors import BadInput
from alpacare.core.files import read_json, write_json
from alpacare.records.category import Category, Group
from alpacare.statistics.counts import entropy, share


@click.command(cls=Stage)
@click.argument("categories", type=FILE)
@click.argument("run", type=FILE)
@click.argument("out", type=FILE)
def main(categories: Path, run: Path, out: Path) -> None:
    """Count the groups in CATEGORIES, add what RUN says of their making, and write OUT.

    \b
    Example:
      python -m alpacare.stages.category_counts data/categories/gpt-4o.jsonl \\
          data/categories/gpt-4o.json metrics/category_counts/gpt-4o.json
    """
    check_files([categories, run], [out])
    how: Any = read_json(run)
    if not isinstance(how, dict) or not {"calls", "dollars", "models"} <= how.keys():
        raise BadInput(f"{run}: does not say how it was sorted; is it the file beside the groups?")
    told = count(jsonl.read(categories, Category, unique="id"))
    write_json(out, told | {key: how[key] for key in ("calls", "dollars", "models")})
    click.echo(", ".join(f"{n} {group}" for group, n in told["groups"].items()))


def count(rows: Sequence[Category]) -> dict[str, Any]:
    """Count rows by group; shares and entropy (bits) are of those that could be read."""
    counts = Counter(row.category for row in rows if row.category)
    sorted_rows = counts.total()
    return {
        "rows": len(rows),
        "not_readable": len(rows) - sorted_rows,
        "groups": {group: counts[group] for group in get_args(Group)},
        "shares": {group: share(counts[group], sorted_rows) for group in get_args(Group)},
        "entropy_bits": round(entropy(counts.values()), 4),
    }


if __name__ == "__main__":
    main()
