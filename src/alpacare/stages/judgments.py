"""Stage `judgments`: one judge compares student and reference on one test set, in both orders.

{"id": "77d0...", "order": "model_first", "verdict": "model", "raw": "...", "request": ""}
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import get_args

import click

from alpacare import jsonl
from alpacare.command import FILE, Stage
from alpacare.errors import BadInput
from alpacare.evaluation.judges import OverlapJudge, read_judge
from alpacare.evaluation.overlap import compare
from alpacare.records.generation import Generation
from alpacare.records.judgment import Judgment, Order
from alpacare.records.task import TestTask
from alpacare.testsets import read_tests


@click.command(cls=Stage)
@click.option("--judge", required=True, help="Name of a folder in prompts/judges.")
@click.option("--tests", type=FILE, help="The test set, for judges that need its written answers.")
@click.argument("generations", type=FILE)
@click.argument("reference", type=FILE)
@click.argument("out", type=FILE)
def main(judge: str, tests: Path | None, generations: Path, reference: Path, out: Path) -> None:
    """Compare the answers in GENERATIONS with those in REFERENCE and write OUT.

    \b
    Example:
      python -m alpacare.stages.judgments --judge overlap --tests data/tests/demo.jsonl \\
          data/generations/demo.jsonl data/references/terse/demo.jsonl \\
          data/judgments/demo/terse/overlap.jsonl
    """
    settings = read_judge(judge)
    if tests is None:
        raise BadInput(f"judge '{judge}' compares with written answers: give --tests FILE")
    pairs = pair_up(generations, reference)
    judgments = list(judge_all(settings, pairs, {t.id: t for t in read_tests(tests)}, tests))
    jsonl.write(out, judgments)
    won = sum(judgment.verdict == "model" for judgment in judgments)
    click.echo(f"{len(judgments)} judgments of {len(pairs)} pairs, {won} for the student")


def pair_up(generations: Path, reference: Path) -> list[tuple[Generation, Generation]]:
    """Join two files of answers by id, in the order of the first.

    No pairs with a reference that has not answered this test set.

    Raises:
        BadInput: an id that only one of the files has, or no answers by the student.
    """
    ours = jsonl.read(generations, Generation, unique="id")
    theirs = {row.id: row for row in jsonl.read(reference, Generation, unique="id")}
    if not ours:
        raise BadInput(f"{generations}: no answers to judge")
    if not theirs:
        return []
    for row in ours:
        if row.id not in theirs:
            raise BadInput(f"{reference}: no answer to task {row.id}, which {generations} has")
    for id in sorted(theirs.keys() - {row.id for row in ours}):
        raise BadInput(f"{generations}: no answer to task {id}, which {reference} has")
    return [(row, theirs[row.id]) for row in ours]


def judge_all(
    judge: OverlapJudge,
    pairs: Sequence[tuple[Generation, Generation]],
    tests: Mapping[str, TestTask],
    path: Path,
) -> Iterator[Judgment]:
    """Judge every pair, the student's answer first and then second."""
    for model, reference in pairs:
        if model.id not in tests:
            raise BadInput(f"{path}: no task {model.id}")
        judged = {model.generator, reference.generator}
        written = [text for name, text in tests[model.id].answers.items() if name not in judged]
        if not written:
            raise BadInput(f"{path}: task {model.id} has no written answer but the one judged")
        for order in get_args(Order):
            opinion = compare(model.output, reference.output, written, judge.tie_margin, order)
            yield Judgment(
                id=model.id, order=order, verdict=opinion.verdict, raw=opinion.raw, request=""
            )


if __name__ == "__main__":
    main()
