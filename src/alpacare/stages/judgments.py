"""Stages `judgments`, `contestant_judgments`: judges compare answers in both orders, or grade them.

A student's answers with those of every reference; or, without a student, those of every model that
competes. Judges by rubrics grade the same answers alone.

{"id": "77d0...", "order": "model_first", "verdict": "model", "raw": "...", "request": "", ...}
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage
from alpacare.core.files import atomic_folder
from alpacare.core.settings import load
from alpacare.judging.dialogue import ask_judges
from alpacare.judging.judge_request import JudgeRequest, make_judge_requests
from alpacare.judging.judges import (
    Judge,
    LLMJudge,
    LongestJudge,
    OverlapJudge,
    RubricJudge,
    read_judge,
    read_rubric_judge,
)
from alpacare.judging.longest import judge_by_length
from alpacare.judging.overlap import has_others, judge_by_overlap
from alpacare.judging.rubric_request import (
    GradedAnswer,
    RubricRequest,
    make_rubric_judgments,
    make_rubric_requests,
    pair_rubrics,
)
from alpacare.llm.usage import count_usage
from alpacare.records.comparisons import JudgmentsSettings
from alpacare.records.generation import Generation
from alpacare.records.judgment import Judgment
from alpacare.records.pairs import AnswerFiles, answer_options
from alpacare.records.rubric import save_rubric_judgments
from alpacare.records.shown_pair import ShownPair, make_judgments, save_judgments, show_both_orders
from alpacare.records.task import TestTask
from alpacare.records.test_set import read_test_set


@click.command(cls=Stage)
@click.argument("out", type=FILE)
@click.option("--judges", type=FILE, required=True, help="Folder with a folder a judge.")
@click.option("--test-set", type=FILE, required=True, help="For judges that need written answers.")
@answer_options
def main(
    out: Path,
    judges: Path,
    test_set: Path,
    files: AnswerFiles,
) -> None:
    """Have each of `judgments.judges` compare answers; write OUT/REFERENCE/JUDGE.jsonl.

    With a student's GENERATIONS: with each of `judgments.references`, and with the answers of the
    student in `judgments.head_to_head`. Without: the answers of each of `judgments.contestants`,
    to OUT/CONTESTANT/REFERENCE/JUDGE.jsonl. Each of `judgments.rubric_judges` grades the same
    answers by the rubrics of the test set: OUT/JUDGE.jsonl, or OUT/CONTESTANT/JUDGE.jsonl.

    \b
    Example:
      python -m alpacare.stages.judgments data/judgments/demo/all-rows/0 \\
          --judges prompts/judges --test-set data/tests/demo.jsonl \\
          --generations data/generations/demo/all-rows/0.jsonl \\
          --head-to-head data/generations/demo/half-rows/0.jsonl \\
          --models data/model_generations/demo --local-models data/local_generations/demo
    """
    settings = load("judgments", JudgmentsSettings)
    chosen = {name: read_judge(judges / name) for name in settings.judges}
    graders = {name: read_rubric_judge(judges / name) for name in settings.rubric_judges}
    tasks = {task.id: task for task in read_test_set(test_set)}
    comparisons = {each.place: each for each in files.comparisons(settings)}
    cases = {place: show_both_orders(each.pairs) for place, each in comparisons.items()}
    answers = files.alone(settings) if graders else {}
    alone = {place: _pair_rubrics(tasks, path) for place, path in answers.items()}
    asked = _ask_all(chosen, judges, cases)
    graded = _grade_all(graders, judges, alone)
    with atomic_folder(out) as folder:
        for place, comparison in comparisons.items():
            for name, judge in chosen.items():
                if isinstance(judge, LLMJudge):
                    rows, run = _collect(judge, asked[place, name])
                else:
                    rows, run = _compare(judge, cases[place], tasks, test_set)
                click.echo(save_judgments(folder / place, str(comparison), name, rows, run))
        for (place, name), requests in graded.items():
            click.echo(_save_graded(folder / place, name, requests))


def _ask_all(
    judges: Mapping[str, Judge], folder: Path, cases: Mapping[Path, Sequence[ShownPair]]
) -> dict[tuple[Path, str], list[JudgeRequest]]:
    """Ask all judges that are models about all comparisons at once, by comparison and judge."""
    asked = {
        (place, name): make_judge_requests(judge, folder / name, cases[place])
        for place in cases
        for name, judge in judges.items()
        if isinstance(judge, LLMJudge)
    }
    ask_judges([request for requests in asked.values() for request in requests])
    return asked


def _pair_rubrics(tasks: Mapping[str, TestTask], answers: Path) -> list[GradedAnswer]:
    return pair_rubrics(tasks, jsonl.read(answers, Generation, unique="id"), answers)


def _grade_all(
    judges: Mapping[str, RubricJudge],
    folder: Path,
    answers: Mapping[Path, Sequence[GradedAnswer]],
) -> dict[tuple[Path, str], list[RubricRequest]]:
    """Ask all judges by rubrics about all answers at once, by place and judge."""
    asked = {
        (place, name): make_rubric_requests(judge, folder / name, answers[place])
        for place in answers
        for name, judge in judges.items()
    }
    ask_judges([request for requests in asked.values() for request in requests])
    return asked


def _save_graded(folder: Path, judge: str, requests: Sequence[RubricRequest]) -> str:
    """Write a judge's grades and how they came about; sum up in a line."""
    rows = make_rubric_judgments(judge, requests)
    replies = [reply for request in requests for reply in request.dialogue.replies]
    run = count_usage(replies) if rows else {"left_out": "no answer to an item with rubrics"}
    whose = requests[0].case.answer.generator if requests else ""
    return save_rubric_judgments(folder, judge, whose, rows, run)


def _collect(
    judge: LLMJudge, requests: Sequence[JudgeRequest]
) -> tuple[list[Judgment], dict[str, Any]]:
    """Give a judge's judgments, and how they came about."""
    if not requests:
        return [], {}
    replies = [reply for request in requests for reply in request.replies]
    rows = [request.judgment() for request in requests]
    return rows, {"labels": judge.labels(), **count_usage(replies)}


def _compare(
    judge: OverlapJudge | LongestJudge,
    cases: Sequence[ShownPair],
    tasks: Mapping[str, TestTask],
    test_set: Path,
) -> tuple[list[Judgment], dict[str, Any]]:
    """Let a judge that is a rule say who won in each case; or say why it leaves them out."""
    judged = {each.generator for case in cases[:1] for each in (case.model, case.reference)}
    if isinstance(judge, LongestJudge):
        verdicts = [judge_by_length(case, judge.tie_margin) for case in cases]
    elif not has_others(judged, tasks.values()):
        return [], {"left_out": "there is no written answer but those judged"}
    else:
        verdicts = list(judge_by_overlap(cases, tasks, judge.tie_margin, test_set))
    return make_judgments(cases, verdicts), {}


if __name__ == "__main__":
    main()
