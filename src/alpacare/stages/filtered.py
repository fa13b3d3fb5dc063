"""Stage `filtered`: poor tasks, copies of test tasks and near-duplicates go, each with its reason.

{"id": "3f0c...", "stage": "filtered", "reason": "rouge_l", "witness": "91bb...", "score": 0.83}
"""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_file, open_text, write_json
from alpacare.core.progress import track
from alpacare.core.settings import load
from alpacare.filtering.filter import Filter, FilteredSettings, Line, NearTest
from alpacare.records.dropped import Dropped

_NEAREST = 20  # pairs of task and test task in the report


@click.command(cls=Stage)
@click.argument("instructions", type=FILE)
@click.argument("out", type=FILE)
@click.option("--dropped", type=FILE, required=True, help="Rows that go, with reason and witness.")
@click.option("--metrics", type=FILE, required=True, help="Counts, as JSON.")
@click.option("--seeds", type=FILE, help="Seed tasks to compare with.")
@click.option(
    "--test-set", "tests", type=FILE, multiple=True, help="Test set, or a folder of them."
)
@click.option("--nearest", type=FILE, help="The tasks nearest to a test task, as CSV.")
def main(
    instructions: Path,
    out: Path,
    dropped: Path,
    metrics: Path,
    seeds: Path | None,
    tests: tuple[Path, ...],
    nearest: Path | None,
) -> None:
    """Drop what should not be trained on from INSTRUCTIONS and write the rest to OUT.

    Rows keep their order and their text; `id`, `instruction` and `input` are looked at. What makes
    a row go is set in section `filtered` of params.yaml.

    \b
    Example:
      python -m alpacare.stages.filtered data/instructions.jsonl data/filtered.jsonl \\
          --dropped data/dropped/filtered.jsonl --metrics metrics/filtered.json \\
          --seeds data/seeds.jsonl --test-set data/tests --nearest data/nearest/filtered.csv
    """
    check_files([instructions, seeds], [out, dropped, metrics, nearest])
    settings = load("filtered", FilteredSettings)
    sieve = Filter(settings, read_lines(seeds), read_tests(tests))
    with track("filtered", sum(1 for _ in _rows(instructions)), "instructions") as advance:
        rows = jsonl.stream(instructions, Line, unique="id")
        sieve.add(rows, lambda done: advance(done, ""))
    sieve.check_contamination()
    _part(instructions, out, dropped, sieve)
    write_json(metrics, count(sieve))
    if nearest:
        _write_nearest(nearest, sieve.near_tests)
    _say(sieve)


def read_lines(path: Path | None) -> list[Line]:
    """Read what every row of a file is called and asks; no file, no rows."""
    return jsonl.read(path, Line, unique="id") if path else []


def read_tests(paths: tuple[Path, ...]) -> list[Line]:
    """Read test sets, also whole folders of them; a task's id becomes "set/id".

    Raises:
        BadInput: a set that cannot be read or is empty, a folder without one, two of one name.
    """
    sets: dict[str, list[Line]] = {}
    for path in paths:
        files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
        for file in files:
            name = file.stem
            if name in sets:
                raise BadInput(f"{file}: there is another test set named '{name}'; rename one")
            sets[name] = [
                line.model_copy(update={"id": f"{name}/{line.id}"}) for line in read_lines(file)
            ]
        if not all(sets[file.stem] for file in files) or not files:
            raise BadInput(f"{path}: no test tasks")
    return [line for lines in sets.values() for line in lines]


def _part(instructions: Path, out: Path, dropped: Path, sieve: Filter) -> None:
    """Read the rows a second time, so that they need not be held, and part them."""
    with atomic_file(out) as stay, atomic_file(dropped) as go:
        for position, row in enumerate(_rows(instructions)):
            verdict = sieve.gone.get(position)
            if verdict is None:
                stay.write(row + "\n")
                continue
            lost = Dropped(
                id=json.loads(row)["id"],
                stage="filtered",
                reason=verdict.reason,
                witness=verdict.witness,
                score=verdict.score,  # in full: it decided by its last bit
            )
            go.write(json.dumps(lost.model_dump(), ensure_ascii=False) + "\n")


def _rows(path: Path) -> Iterator[str]:
    with open_text(path) as file:
        yield from (line.strip() for line in file if line.strip())


def count(sieve: Filter) -> dict[str, Any]:
    """Count what came, what stays and what went by reason."""
    return {
        "instructions": sieve.added,
        "kept": sieve.kept,
        "kept_share": round(sieve.kept / sieve.added, 4) if sieve.added else 0.0,
        "dropped": sieve.counts(),
        "unseen_by_tokenizer": sieve.unseen,
        "compared_with": {"seeds": sieve.compared_seeds, "test_tasks": len(sieve.tests)},
        "in_test_sets": sum(near.offends for near in sieve.near_tests),
        "nearest_to_test_sets": round(max((n.score for n in sieve.near_tests), default=0.0), 4),
    }


def _write_nearest(path: Path, pairs: list[NearTest]) -> None:
    """Write the pairs that are most worth a look, offenders first."""
    pairs = sorted(pairs, key=lambda near: (not near.offends, -near.score))[:_NEAREST]
    with atomic_file(path) as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["id", "test", "rouge_l", "shared_words", "instruction", "test_instruction"])
        for near in pairs:
            texts = (near.task.instruction, near.test.instruction)
            rows.writerow([near.task.id, near.test.id, f"{near.score:.4f}", near.shared, *texts])


def _say(sieve: Filter) -> None:
    if sieve.unseen:
        click.secho(
            f"warning: {sieve.unseen} instructions are mostly in letters that tokenizer 'latin' "
            "does not see, so near-duplicates among them are missed; set filtered.tokenizer: "
            "unicode",
            fg="yellow",
            err=True,
        )
    reasons = ", ".join(f"{n} {reason}" for reason, n in sieve.counts().items() if n)
    click.echo(f"{sieve.added} instructions: {sieve.kept} kept; dropped: {reasons or 'none'}")


if __name__ == "__main__":
    main()
