"""Stage `judgments`: one judge compares student and reference on one test set, in both orders.

{"id": "77d0...", "order": "model_first", "verdict": "model", "raw": "...", "request": "", ...}
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.errors import BadInput
from alpacare.core.files import write_json
from alpacare.judging.judge_request import ask_judge, make_inquiries
from alpacare.judging.judges import (
    JUDGES,
    AskedJudge,
    LongestJudge,
    OverlapJudge,
    read_judge,
)
from alpacare.judging.longest import compare_lengths
from alpacare.judging.overlap import compare_all
from alpacare.llm.usage import count_usage
from alpacare.local_judging.loglik import LoglikJudge, score_prompts
from alpacare.prompting.judge_prompt import JudgePrompt
from alpacare.records.judgment import Judgment, Slot
from alpacare.records.pairs import pair_up
from alpacare.records.shown_pair import Case, make_cases
from alpacare.records.test_set import read_tests


@click.command(cls=Stage)
@click.option("--judge", required=True, help="Name of a folder in prompts/judges.")
@click.option("--tests", type=FILE, help="The test set, for judges that need its written answers.")
@click.option("--run", type=FILE, help="How the verdicts came about, as JSON.")
@click.argument("generations", type=FILE)
@click.argument("reference", type=FILE)
@click.argument("out", type=FILE)
def main(
    judge: str, tests: Path | None, run: Path | None, generations: Path, reference: Path, out: Path
) -> None:
    """Compare the answers in GENERATIONS with those in REFERENCE and write OUT.

    \b
    Example:
      python -m alpacare.stages.judgments --judge overlap --tests data/tests/demo.jsonl \\
          data/generations/demo.jsonl data/references/terse/demo.jsonl \\
          data/judgments/demo/terse/overlap.jsonl
    """
    check_files([generations, reference, tests], [out, run])
    cases = make_cases(pair_up(generations, reference))
    judgments, told = judge_all(judge, cases, tests)
    jsonl.write(out, judgments)
    if run:
        write_json(run, {"judge": judge, **told})
    click.echo(tell(judgments, told.get("finish_reasons", {}).get("length", 0)))


def judge_all(
    name: str, cases: Sequence[Case], tests: Path | None
) -> tuple[list[Judgment], dict[str, Any]]:
    """Have one judge say who won in each case; also say how the verdicts came about.

    Raises:
        BadInput: the judge's folder, or what it needs, is wrong or missing.
    """
    judge = read_judge(name)
    if not cases:
        return [], {}
    match judge:
        case AskedJudge():
            judgments, replies = ask_judge(make_inquiries(judge, JUDGES / name, cases))
            return judgments, {"labels": judge.labels(), **count_usage(replies)}
        case LoglikJudge():
            prompt = JudgePrompt.read(JUDGES / name)
            scored, told = score_prompts(judge, [prompt.fill(case) for case in cases])
            return record(cases, [(each.raw, each.slot) for each in scored]), told
        case LongestJudge():
            return record(cases, [compare_lengths(case, judge.tie_margin) for case in cases]), {}
        case OverlapJudge():
            if tests is None:
                raise BadInput(f"judge '{name}' compares with written answers: give --tests FILE")
            tasks = {task.id: task for task in read_tests(tests)}
            return record(cases, list(compare_all(cases, tasks, judge.tie_margin, tests))), {}


def record(cases: Sequence[Case], opinions: Sequence[tuple[str, Slot | None]]) -> list[Judgment]:
    """Make judgments of what a judge that is not asked says of each case."""
    return [
        Judgment(
            id=case.model.id,
            order=case.order,
            verdict=case.verdict(slot),
            raw=raw,
            request="",
        )
        for case, (raw, slot) in zip(cases, opinions, strict=True)
    ]


def tell(judgments: Sequence[Judgment], cut: int) -> str:
    """Sum judgments up in a line; `cut` replies ended at their limit of tokens."""
    won = sum(judgment.verdict == "model" for judgment in judgments)
    void = sum(judgment.verdict is None for judgment in judgments)
    again = sum(judgment.tries > 1 for judgment in judgments)
    line = f"{len(judgments)} judgments, {won} for the student"
    line += f", {again} asked again" if again else ""
    line += f", {void} without a readable verdict" if void else ""
    return line + (f", {cut} replies cut off: raise max_tokens" if cut else "")


if __name__ == "__main__":
    main()
