"""Stage `filtered`: drops poor tasks, contaminated tasks and near-duplicates, with drop reasons.

{"id": "3f0c...", "stage": "filtered", "reason": "rouge_l", "witness": "91bb...", "score": 0.83}
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.csv_files import write_csv
from alpacare.core.files import atomic_file, open_text, write_json
from alpacare.core.progress import track
from alpacare.core.settings import load
from alpacare.core.texts import counted
from alpacare.filtering.contamination_gate import MatchedTask, read_test_sets
from alpacare.filtering.filter import Filter
from alpacare.filtering.settings import FilteredSettings
from alpacare.filtering.shared_text import evenly_spread
from alpacare.filtering.task_texts import TaskRow
from alpacare.records.dropped import Dropped

_NEAREST = 20  # pairs of task and test task in the table
_SHOWN = 60  # characters of a text that rows share


@click.command(cls=Stage)
@click.argument("instructions", type=FILE)
@click.argument("out", type=FILE)
@click.option("--dropped", type=FILE, required=True, help="Dropped rows, with reason and witness.")
@click.option("--metrics", type=FILE, required=True, help="Counts, as JSON.")
@click.option("--seeds", type=FILE, help="Seed tasks to compare with.")
@click.option(
    "--test-set", "tests", type=FILE, multiple=True, help="Test set, benchmark, or folder."
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

    Rows keep their order and their text; only `id`, `instruction` and `input` are read. Section
    `filtered` of params.yaml says what drops a row.

    \b
    Example:
      python -m alpacare.stages.filtered data/instructions.jsonl data/filtered.jsonl \\
          --dropped data/dropped/filtered.jsonl --metrics metrics/filtered.json \\
          --seeds data/seeds.jsonl --test-set data/tests \\
          --test-set data/benchmarks --nearest data/nearest/filtered.csv
    """
    check_files([instructions, seeds], [out, dropped, metrics, nearest])
    settings = load("filtered", FilteredSettings)
    known = jsonl.read(seeds, TaskRow, unique="id") if seeds else []
    task_filter = Filter(settings, known, read_test_sets(tests))
    count = _look_at(instructions, task_filter)
    with track("filtered", count, "instructions") as advance:
        rows = jsonl.stream(instructions, TaskRow, unique="id")
        task_filter.add(rows, lambda done: advance(done, ""))
    task_filter.check_contamination()
    _write_rows(instructions, out, dropped, task_filter)
    write_json(metrics, _counts(task_filter))
    if nearest:
        _write_nearest(nearest, task_filter.matched)
    _print_summary(task_filter)


def _look_at(instructions: Path, task_filter: Filter) -> int:
    """Show the filter rows from the whole file; give how many rows there are."""
    count = sum(1 for _ in _lines(instructions))
    looked_at, rows = evenly_spread(count), []
    for place, line in enumerate(_lines(instructions)):
        if place in looked_at:
            try:
                rows.append(TaskRow.model_validate_json(line))
            except ValueError:
                break  # the filter will come to it and say what is wrong
    task_filter.texts.look_at(rows)
    return count


def _write_rows(instructions: Path, out: Path, dropped: Path, task_filter: Filter) -> None:
    """Write kept and dropped rows; rows are read a second time, so that they need not be held."""
    with atomic_file(out) as kept_file, atomic_file(dropped) as dropped_file:
        for position, row in enumerate(_lines(instructions)):
            drop = task_filter.dropped.get(position)
            if drop is None:
                kept_file.write(row + "\n")
                continue
            # the score is not rounded: its last bit may have decided
            record = Dropped(id=json.loads(row)["id"], stage="filtered", **asdict(drop))
            dropped_file.write(json.dumps(record.model_dump(), ensure_ascii=False) + "\n")


def _lines(path: Path) -> Iterator[str]:
    with open_text(path) as file:
        yield from (line.strip() for line in file if line.strip())


def _counts(task_filter: Filter) -> dict[str, Any]:
    """Count all, kept and dropped rows, and contamination matches."""
    matches = [each.match for each in task_filter.matched]
    return {
        "instructions": task_filter.added,
        "kept": task_filter.kept,
        "kept_share": round(task_filter.kept / task_filter.added, 4) if task_filter.added else 0.0,
        "dropped": task_filter.counts(),
        "compared": {"by": task_filter.chosen, "by_input": task_filter.by_input},
        "unseen_by_tokenizer": task_filter.unseen,
        "compared_with": {
            "seeds": task_filter.compared_seeds,
            "test_tasks": len(task_filter.tests),
        },
        "in_test_sets": sum(match.contaminated for match in matches),
        "nearest_to_test_sets": round(max((match.score for match in matches), default=0.0), 4),
    }


def _write_nearest(path: Path, matched: list[MatchedTask]) -> None:
    """Write the tasks nearest to a test task, contaminated ones first."""
    matched.sort(key=lambda each: (not each.match.contaminated, -each.match.score))
    rows = [("id", "test", "rouge_l", "shared_words", "instruction", "test_instruction")]
    for each in matched[:_NEAREST]:
        score, texts = f"{each.match.score:.4f}", (each.task.instruction, each.test.instruction)
        rows.append((each.task.id, each.test.id, score, each.match.shared, *texts))
    write_csv(path, rows)


def _print_summary(task_filter: Filter) -> None:
    if task_filter.unseen:
        click.secho(
            f"warning: {counted(task_filter.unseen, 'instruction')} mostly in letters that "
            "tokenizer 'latin' does not see, kept without being compared, near-duplicates too; set "
            "filtered.tokenizer: auto",
            fg="yellow",
            err=True,
        )
    if task_filter.by_input and task_filter.settings.compare == "auto":
        click.echo(
            f"compared by input: {task_filter.by_input} of {task_filter.added} instructions, which "
            "say what many others say (filtered.compare: auto)"
        )
    for text in task_filter.texts.left_out():
        click.echo(f"left out of the comparison, since nearly all have it: '{_shortened(text)}'")
    reasons = ", ".join(f"{n} {reason}" for reason, n in task_filter.counts().items() if n)
    added = counted(task_filter.added, "instruction")
    click.echo(f"{added}: {task_filter.kept} kept; dropped: {reasons or 'none'}")


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}..."


if __name__ == "__main__":
    main()
