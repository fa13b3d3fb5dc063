"""Stages `local_judgments`, `local_contestant_judgments`: a model on this machine compares answers.

It compares by the likelihood of its labels, the same answers as the stages without `local`. Such a
judge is a folder: prompts/local_judges/NAME/ with settings.yaml and prompt.txt.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from alpacare.core.command import FILE, Stage
from alpacare.core.files import atomic_folder
from alpacare.core.settings import load
from alpacare.local_judging.judges import LoglikJudge, read_local_judge
from alpacare.local_judging.loglik import score_prompts
from alpacare.prompting.judge_prompt import JudgePrompt
from alpacare.records.comparisons import JudgmentsSettings
from alpacare.records.judgment import Judgment
from alpacare.records.pairs import AnswerFiles, answer_options
from alpacare.records.shown_pair import ShownPair, make_judgments, save_judgments, show_both_orders


@click.command(cls=Stage)
@click.argument("out", type=FILE)
@click.option("--judge", type=FILE, required=True, help="The judge's folder.")
@answer_options
def main(
    out: Path,
    judge: Path,
    files: AnswerFiles,
) -> None:
    """Have a judge on this machine compare answers; write OUT/REFERENCE/JUDGE.jsonl.

    A comparison that is done is not computed again when a reference is added.

    \b
    Example:
      python -m alpacare.stages.local_judgments data/local_judgments/demo/all-rows/0/loglik \\
          --judge prompts/local_judges/loglik \\
          --generations data/generations/demo/all-rows/0.jsonl \\
          --head-to-head data/generations/demo/half-rows/0.jsonl \\
          --models data/model_generations/demo --local-models data/local_generations/demo
    """
    settings = load("judgments", JudgmentsSettings)
    scratch = out.parent / ".scratch" / out.name
    model, prompt = read_local_judge(judge), JudgePrompt.read(judge)
    comparisons = files.comparisons(settings)
    with atomic_folder(out) as folder:
        for each in comparisons:
            rows, run = _compare(model, prompt, show_both_orders(each.pairs), scratch)
            click.echo(save_judgments(folder / each.place, str(each), judge.name, rows, run))


def _compare(
    judge: LoglikJudge, prompt: JudgePrompt, cases: Sequence[ShownPair], scratch: Path
) -> tuple[list[Judgment], dict[str, Any]]:
    if not cases:
        return [], {}
    scored, run = score_prompts(judge, prompt.fill_all(cases), scratch)
    return make_judgments(cases, [(each.raw, each.slot) for each in scored]), run


if __name__ == "__main__":
    main()
