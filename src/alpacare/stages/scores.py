"""Stage `scores`: verdicts -> a win rate with its interval, kept in Git."""

from collections import Counter
from pathlib import Path

import click
from pydantic import Field

from alpacare import jsonl
from alpacare.command import FILE, Stage
from alpacare.errors import BadInput
from alpacare.evaluation.statistics import summarise
from alpacare.files import write_json
from alpacare.records.judgment import Judgment
from alpacare.settings import Settings, load


class ScoresSettings(Settings):
    """Section `scores` of params.yaml."""

    resamples: int = Field(gt=0)
    confidence: float = Field(gt=0, lt=1)
    seed: int


@click.command(cls=Stage)
@click.argument("judgments", type=FILE)
@click.argument("out", type=FILE)
def main(judgments: Path, out: Path) -> None:
    """Score the verdicts in JUDGMENTS and write OUT.

    \b
    Example:
      python -m alpacare.stages.scores data/judgments/demo/terse/overlap.jsonl \\
          metrics/scores/demo/terse/overlap.json
    """
    settings = load("scores", ScoresSettings)
    rows = read_judgments(judgments)
    score = summarise(rows, settings.resamples, settings.confidence, settings.seed)
    write_json(out, score.model_dump())
    if score.n == 0:
        click.echo("nothing to score: the reference has not answered this test set")
        return
    if score.win_rate is None:
        click.echo(f"no win rate: none of the {score.n} items has two readable verdicts")
        return
    click.echo(
        f"win rate {score.win_rate} [{score.ci_low}, {score.ci_high}], "
        f"{score.n_valid} of {score.n} items"
    )


def read_judgments(path: Path) -> list[Judgment]:
    """Read a judge's verdicts: each item once in each order."""
    rows = jsonl.read(path, Judgment)
    for (id, order), times in Counter((row.id, row.order) for row in rows).items():
        if times > 1:
            raise BadInput(f"{path}: task {id} is judged {times} times in the order {order}")
    for id, orders in Counter(row.id for row in rows).items():
        if orders != 2:
            raise BadInput(f"{path}: task {id} is judged in one order only")
    return rows


if __name__ == "__main__":
    main()
