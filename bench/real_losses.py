"""The loss on examples held out, before training and after each epoch: a table in Markdown.

    python bench/real_losses.py models/checkpoint/smollm2-135m

`make real-model` puts it into docs/real-model.md.
"""

from pathlib import Path

import click

from alpacare.core import jsonl
from alpacare.training.held_out import HeldOutLosses, estimate, estimate_change


def line(seed: Path) -> str:
    measured = jsonl.read(seed / "validation.jsonl", HeldOutLosses)
    cells = [str(estimate(each)) for each in measured]
    cells.append(str(estimate_change(measured[0], measured[-1])))
    return f"| {seed.name} | {len(measured[0].losses)} | {' | '.join(cells)} |"


@click.command()
@click.argument("student", type=Path)
def main(student: Path) -> None:
    """Print a line for each training seed in the folder STUDENT."""
    seeds = sorted(path.parent for path in student.glob("*/validation.jsonl"))
    epochs = len(jsonl.read(seeds[0] / "validation.jsonl", HeldOutLosses)) - 1
    columns = [
        "seed",
        "n",
        "before",
        *(f"epoch {number + 1}" for number in range(epochs)),
        "change",
    ]
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    print("\n".join(line(seed) for seed in seeds))


if __name__ == "__main__":
    main()
