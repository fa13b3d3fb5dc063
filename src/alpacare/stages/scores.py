"""Stage `scores`: verdicts -> win rates with their intervals, kept in Git."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from pydantic import ValidationError

from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.errors import BadInput
from alpacare.core.files import read_json, write_json
from alpacare.core.settings import load
from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.items import read_judgments
from alpacare.evaluation.score import JudgeRun, Score
from alpacare.evaluation.statistics import Pair, summarise
from alpacare.records.generation import Generation
from alpacare.records.pairs import pair_up
from alpacare.records.task import TestTask
from alpacare.records.test_set import read_tests


@click.command(cls=Stage)
@click.argument("judgments", type=FILE)
@click.argument("out", type=FILE)
@click.option("--run", type=FILE, required=True, help="How the verdicts came about, as JSON.")
@click.option("--generations", type=FILE, required=True, help="The student's answers.")
@click.option("--reference", type=FILE, required=True, help="The answers they were compared with.")
@click.option("--tests", type=FILE, required=True, help="The test set, for difficulty and type.")
def main(
    judgments: Path, out: Path, run: Path, generations: Path, reference: Path, tests: Path
) -> None:
    """Score the verdicts in JUDGMENTS and write OUT.

    \b
    Example:
      python -m alpacare.stages.scores data/judgments/demo/terse/overlap.jsonl \\
          metrics/scores/demo/terse/overlap.json --run data/judgments/demo/terse/overlap.json \\
          --generations data/generations/demo.jsonl \\
          --reference data/references/terse/demo.jsonl --tests data/tests/demo.jsonl
    """
    check_files([judgments, run, generations, reference, tests], [out])
    how = load("scores", Resampling)
    rows = read_judgments(judgments)
    pairs = describe_pairs(pair_up(generations, reference), read_tests(tests), tests)
    for row in rows:
        if row.id not in pairs:
            raise BadInput(f"{judgments}: task {row.id} is judged, and {generations} lacks it")
    for id in pairs.keys() - {row.id for row in rows}:
        raise BadInput(f"{judgments}: task {id} is not judged, and {generations} has it")
    score = summarise(rows, pairs, how, read_run(run))
    write_json(out, score.model_dump())
    click.echo(tell(score))


def read_run(path: Path) -> JudgeRun:
    """Read what the judge's stage wrote beside its verdicts.

    Raises:
        BadInput: it is something else.
    """
    try:
        return JudgeRun.model_validate(read_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise BadInput(f"{path}: {place}: {first['msg'].lower()}") from error


def describe_pairs(
    pairs: Sequence[tuple[Generation, Generation]], tests: Sequence[TestTask], path: Path
) -> Mapping[str, Pair]:
    """Say of each judged item how long both answers are, and what its task is like."""
    tasks = {test.id: test for test in tests}
    for model, _ in pairs:
        if model.id not in tasks:
            raise BadInput(f"{path}: no task {model.id}")
    return {
        model.id: Pair(
            len(model.output),
            len(reference.output),
            tasks[model.id].difficulty,
            tasks[model.id].type,
        )
        for model, reference in pairs
    }


def tell(score: Score) -> str:
    """Sum a score up in one line."""
    if score.n == 0:
        return "nothing to score: the reference has not answered this test set"
    if score.win_rate is None:
        return f"no win rate: none of the {score.n} items has two readable verdicts"
    return (
        f"win rate {score.win_rate} [{score.ci_low}, {score.ci_high}], "
        f"{score.n_valid} of {score.n} items"
    )


if __name__ == "__main__":
    main()
