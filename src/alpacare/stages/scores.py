"""Stages `scores`, `contestant_scores` and their `local_` twins: verdicts -> win rates, in Git."""

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_folder, read_json, write_json
from alpacare.core.settings import load
from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.items import read_judgments
from alpacare.evaluation.rubric_scores import RubricScore, read_grades, score_grades
from alpacare.evaluation.score import JudgeRun, Score
from alpacare.evaluation.scoring import ItemFacts, score_judgments
from alpacare.records.comparisons import JudgmentsSettings
from alpacare.records.generation import Generation
from alpacare.records.pairs import AnswerFiles, answer_options
from alpacare.records.task import TestTask
from alpacare.records.test_set import read_test_set
from alpacare.statistics.generations import describe_generations


@click.command(cls=Stage)
@click.argument("out", type=FILE)
@click.option("--metrics", type=FILE, required=True, help="The win rates alone, as JSON.")
@click.option("--judgments", type=FILE, required=True, help="Folder of verdicts.")
@click.option("--test-set", type=FILE, required=True, help="For difficulty and type of the tasks.")
@click.option("--judge", help="A judge on this machine; without: all of `judgments.judges`.")
@answer_options
def main(
    out: Path, metrics: Path, judgments: Path, test_set: Path, judge: str | None, files: AnswerFiles
) -> None:
    """Score the verdicts of judges on every reference; write OUT/REFERENCE/JUDGE.json.

    Without a student's GENERATIONS: OUT/CONTESTANT/REFERENCE/JUDGE.json. Judges by rubrics:
    OUT/JUDGE.json, or OUT/CONTESTANT/JUDGE.json. OUT/generations.json says how long answers are,
    how many cut off, empty or repetitive: of the student, or of all models.

    \b
    Example:
      python -m alpacare.stages.scores metrics/scores/demo/all-rows/0 \\
          --metrics metrics/win_rates/demo/all-rows/0.json \\
          --judgments data/judgments/demo/all-rows/0 --test-set data/tests/demo.jsonl \\
          --generations data/generations/demo/all-rows/0.jsonl \\
          --head-to-head data/generations/demo/half-rows/0.jsonl \\
          --models data/model_generations/demo --local-models data/local_generations/demo
    """
    check_files([test_set], [metrics])
    compared = load("judgments", JudgmentsSettings)
    how = load("scores", Resampling)
    tests = read_test_set(test_set)
    headline = {*compared.averaged, compared.head_to_head}
    win_rates: dict[str, Any] = {"items": len(tests)}
    with atomic_folder(out) as folder:
        for comparison in files.comparisons(compared):
            items = describe_pairs(comparison.pairs, tests, test_set)
            for name in [judge] if judge else compared.judges:
                path = judgments / comparison.place / f"{name}.jsonl"
                score = _score(path, items, how)
                write_json(folder / comparison.place / f"{name}.json", score.model_dump())
                click.echo(f"{comparison}, {name}: {summary_line(score)}")
                if comparison.reference in headline:
                    _add_headline(win_rates, comparison.place, name, score)
        if not judge:
            write_json(folder / "generations.json", describe_answers(files))
            for place, name in product(files.alone(compared), compared.rubric_judges):
                graded = _score_rubrics(judgments / place / f"{name}.jsonl", how)
                write_json(folder / place / f"{name}.json", graded.model_dump())
                click.echo(f"{place.name}{place.name and ', '}{name}: {rubric_line(graded)}")
                _add_rubrics(win_rates, place, name, graded)
    write_json(metrics, win_rates)


def _add_headline(win_rates: dict[str, Any], place: Path, judge: str, score: Score) -> None:
    """Add what `dvc metrics diff` compares; `n` where not all items have readable verdicts."""
    figures = {"win_rate": score.win_rate, "low": score.ci_low, "high": score.ci_high}
    if score.n_valid != win_rates["items"]:
        figures["n"] = score.n_valid
    for part in place.parts:
        win_rates = win_rates.setdefault(part, {})
    win_rates[judge] = figures


def _score_rubrics(judgments: Path, how: Resampling) -> RubricScore:
    return score_grades(read_grades(judgments), how, read_run(judgments.with_suffix(".json")))


def _add_rubrics(win_rates: dict[str, Any], place: Path, judge: str, graded: RubricScore) -> None:
    """Add a score by rubrics to what `dvc metrics diff` compares, in place of a win rate."""
    for part in (*place.parts, "rubrics"):
        win_rates = win_rates.setdefault(part, {})
    win_rates[judge] = graded.model_dump(include={"score", "n"}) | {
        "low": graded.ci_low, "high": graded.ci_high
    }  # fmt: skip


def rubric_line(graded: RubricScore) -> str:
    """Sum up a score by rubrics in one line."""
    if graded.score is None:
        return f"no score: none of {graded.items} items has a verdict on all criteria"
    return (
        f"rubric score {graded.score} [{graded.ci_low}, {graded.ci_high}], {graded.n} of "
        f"{graded.items} items, {graded.unread} of {graded.criteria} criteria without a verdict"
    )


def describe_answers(files: AnswerFiles) -> dict[str, Any]:
    """Describe a student's answers, or those of all models by their names.

    A judge that meets a reference cut off in mid-sentence says little of a student.
    """
    if files.student:
        return _describe(files.student)
    found = (path for folder in files.folders for path in sorted(folder.glob("*.jsonl")))
    return {path.stem: _describe(path) for path in found}


def _describe(answers: Path) -> dict[str, Any]:
    path = answers.with_suffix(".json")
    run: Any = read_json(path)
    if not isinstance(run, dict) or "engine" not in run:
        raise BadInput(f"{path}: does not say how answers were made; is it the file beside them?")
    return describe_generations(jsonl.read(answers, Generation, unique="id"), run)


def _score(judgments: Path, pairs: Mapping[str, ItemFacts], how: Resampling) -> Score:
    """Score one judge's verdicts on one reference."""
    rows, run = read_judgments(judgments), read_run(judgments.with_suffix(".json"))
    if run.left_out:
        pairs = {}
    for row in rows:
        if row.id not in pairs:
            raise BadInput(f"{judgments}: task {row.id} is judged, and the answers lack it")
    for id in pairs.keys() - {row.id for row in rows}:
        raise BadInput(f"{judgments}: task {id} is not judged, and the answers have it")
    return score_judgments(rows, pairs, how, run)


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
        return "nothing to score: the reference has not answered here, or the judge left it out"
    if score.win_rate is None:
        return f"no win rate: none of the {score.n} items has two readable verdicts"
    return (
        f"win rate {score.win_rate} [{score.ci_low}, {score.ci_high}], "
        f"{score.n_valid} of {score.n} items"
    )


if __name__ == "__main__":
    main()
