"""Stages `judgments`, `contestant_judgments`: judges compare answers, in both orders.

A student's answers with those of every reference; or, without a student, those of every model that
competes.

{"id": "77d0...", "order": "model_first", "verdict": "model", "raw": "...", "request": "", ...}
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from alpacare.core.command import FILE, Stage
from alpacare.core.files import atomic_folder
from alpacare.core.settings import load
from alpacare.judging.dialogue import ask_judges
from alpacare.judging.judge_request import JudgeRequest, make_judge_requests
from alpacare.judging.judges import Judge, LLMJudge, LongestJudge, OverlapJudge, read_judge
from alpacare.judging.longest import judge_by_length
from alpacare.judging.overlap import has_others, judge_by_overlap
from alpacare.llm.usage import count_usage
from alpacare.records.comparisons import JudgmentsSettings
from alpacare.records.judgment import Judgment
from alpacare.records.pairs import AnswerFiles, answer_options
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
    to OUT/CONTESTANT/REFERENCE/JUDGE.jsonl.

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
    tasks = {task.id: task for task in read_test_set(test_set)}
    comparisons = {each.place: each for each in files.comparisons(settings)}
    cases = {place: show_both_orders(each.pairs) for place, each in comparisons.items()}
    asked = _ask_all(chosen, judges, cases)
    with atomic_folder(out) as folder:
        for place, comparison in comparisons.items():
            for name, judge in chosen.items():
                if isinstance(judge, LLMJudge):
                    rows, run = _collect(judge, asked[place, name])
                else:
                    rows, run = _compare(judge, cases[place], tasks, test_set)
                click.echo(save_judgments(folder / place, str(comparison), name, rows, run))


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
