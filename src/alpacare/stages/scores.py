"""Stage `scores`: verdicts -> win rates with their intervals, kept in Git."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_folder, read_json, write_json
from alpacare.core.settings import load
from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.items import read_judgments
from alpacare.evaluation.score import JudgeRun, Score
from alpacare.evaluation.scoring import ItemFacts, score_judgments
from alpacare.records.comparisons import JudgmentsSettings
from alpacare.records.generation import Generation
from alpacare.records.pairs import AnswerFiles, answer_options
from alpacare.records.task import TestTask
from alpacare.records.test_set import read_test_set

_HEADLINE = ("win_rate", "ci_low", "ci_high", "n_valid")  # what `dvc metrics diff` compares


@click.command(cls=Stage)
@click.argument("out", type=FILE)
@click.option("--metrics", type=FILE, required=True, help="The win rates alone, as JSON.")
@click.option("--judgments", type=FILE, required=True, help="Folder of verdicts.")
@click.option("--local-judgments", type=FILE, required=True, help="Another one.")
@click.option("--test-set", type=FILE, required=True, help="For difficulty and type of the tasks.")
@answer_options
def main(
    out: Path,
    metrics: Path,
    judgments: Path,
    local_judgments: Path,
    test_set: Path,
    files: AnswerFiles,
) -> None:
    """Score the verdicts of every judge on every reference; write OUT/REFERENCE/JUDGE.json.

    \b
    Example:
      python -m alpacare.stages.scores metrics/scores/demo --metrics metrics/win_rates/demo.json \\
          --judgments data/judgments/demo --local-judgments data/local_judgments/demo \\
          --test-set data/tests/demo.jsonl --generations data/generations/demo.jsonl \\
          --base data/base_generations/demo.jsonl --references data/references/demo \\
          --local-references data/local_references/demo
    """
    check_files([test_set], [metrics])
    compared = load("judgments", JudgmentsSettings)
    how = load("scores", Resampling)
    tests = read_test_set(test_set)
    win_rates: dict[str, dict[str, Any]] = {}
    with atomic_folder(out) as folder:
        for reference in compared.references:
            pairs = describe_pairs(files.pairs(reference), tests, test_set)
            for judge in compared.all_judges:
                parent = local_judgments if judge in compared.local_judges else judgments
                score = _score(parent / reference / f"{judge}.jsonl", pairs, how, files.generations)
                write_json(folder / reference / f"{judge}.json", score.model_dump())
                click.echo(f"{reference}, {judge}: {summary_line(score)}")
                win_rates.setdefault(reference, {})[judge] = {
                    key: getattr(score, key) for key in _HEADLINE
                }
    write_json(metrics, win_rates)


def _score(
    judgments: Path, pairs: Mapping[str, ItemFacts], how: Resampling, generations: Path
) -> Score:
    """Score one judge's verdicts on one reference."""
    rows = read_judgments(judgments)
    for row in rows:
        if row.id not in pairs:
            raise BadInput(f"{judgments}: task {row.id} is judged, and {generations} lacks it")
    for id in pairs.keys() - {row.id for row in rows}:
        raise BadInput(f"{judgments}: task {id} is not judged, and {generations} has it")
    return score_judgments(rows, pairs, how, read_run(judgments.with_suffix(".json")))


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
) -> Mapping[str, ItemFacts]:
    """Say of each judged item how long both answers are, and what its task is like."""
    tasks = {test.id: test for test in tests}
    for model, _ in pairs:
        if model.id not in tasks:
            raise BadInput(f"{path}: no task {model.id}")
    return {
        model.id: ItemFacts(
            len(model.output),
            len(reference.output),
            tasks[model.id].difficulty,
            tasks[model.id].type,
        )
        for model, reference in pairs
    }


def summary_line(score: Score) -> str:
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
