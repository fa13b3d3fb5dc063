"""Stage `filtered`: near-duplicate instructions go, each with its witness and score.

{"id": "3f0c...", "stage": "filtered", "reason": "rouge_l", "witness": "91bb...", "score": 0.83}
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import click
from pydantic import Field

from alpacare import jsonl
from alpacare.command import FILE, Stage
from alpacare.files import write_json
from alpacare.records.dropped import Dropped
from alpacare.records.task import Instruction
from alpacare.settings import Settings, load
from alpacare.text.rouge import Pair, pairs_above


class FilteredSettings(Settings):
    """Section `filtered` of params.yaml."""

    rouge_l: float = Field(ge=0, le=1)
    keep: Literal["first", "none"]


@click.command(cls=Stage)
@click.argument("instructions", type=FILE)
@click.argument("out", type=FILE)
@click.option("--dropped", type=FILE, required=True, help="Rows that go, with reason and witness.")
@click.option("--metrics", type=FILE, required=True, help="Counts, as JSON.")
def main(instructions: Path, out: Path, dropped: Path, metrics: Path) -> None:
    """Drop near-duplicates among INSTRUCTIONS and write the rest to OUT, in input order.

    \b
    Example:
      python -m alpacare.stages.filtered data/instructions.jsonl data/filtered.jsonl \\
          --dropped data/dropped/filtered.jsonl --metrics metrics/filtered.json
    """
    settings = load("filtered", FilteredSettings)
    rows = jsonl.read(instructions, Instruction, unique="id")
    kept, lost = sift(rows, settings)
    jsonl.write(out, kept)
    jsonl.write(dropped, lost)
    write_json(metrics, count(rows, kept))
    click.echo(f"{len(rows)} instructions: {len(kept)} kept, {len(lost)} near-duplicates dropped")


def sift(
    rows: Sequence[Instruction], settings: FilteredSettings
) -> tuple[list[Instruction], list[Dropped]]:
    """Part the rows that stay from those that go, both in input order."""
    pairs = pairs_above([row.instruction for row in rows], settings.rouge_l)
    witnesses = choose(pairs, settings.keep)
    lost = [drop(rows, second, pair) for second, pair in sorted(witnesses.items())]
    return [row for position, row in enumerate(rows) if position not in witnesses], lost


def choose(pairs: Iterable[Pair], keep: Literal["first", "none"]) -> dict[int, Pair]:
    """Say which positions go, each with the pair that proves it (its best score, then earliest).

    `first`: a row goes when it is near a row that stays, as in Self-Instruct and Alpaca.
    `none`: both rows of a pair go (AlpaCare's published rule).
    Pairs must come ordered by their later row.
    """
    gone: dict[int, Pair] = {}
    for pair in pairs:
        if keep == "none":
            _witness(gone, pair.first, pair)
            _witness(gone, pair.second, pair)
        elif pair.first not in gone:
            _witness(gone, pair.second, pair)
    return gone


def _witness(gone: dict[int, Pair], position: int, pair: Pair) -> None:
    if position not in gone or pair.score > gone[position].score:
        gone[position] = pair


def drop(rows: Sequence[Instruction], position: int, pair: Pair) -> Dropped:
    """Make the side file's row for a dropped instruction."""
    witness = rows[pair.first if position == pair.second else pair.second]
    return Dropped(
        id=rows[position].id,
        stage="filtered",
        reason="rouge_l",
        witness=witness.id,
        score=round(pair.score, 6),
    )


def count(rows: Sequence[Instruction], kept: Sequence[Instruction]) -> dict[str, Any]:
    """Count what came, what stays and what went by reason."""
    dropped = len(rows) - len(kept)
    return {
        "instructions": len(rows),
        "kept": len(kept),
        "kept_share": round(len(kept) / len(rows), 4) if rows else 0.0,
        "dropped": {"rouge_l": dropped},
    }


if __name__ == "__main__":
    main()
