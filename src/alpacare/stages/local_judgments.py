"""Stage `local_judgments`: models on this machine compare student and references by likelihood.

Such a judge is a folder: prompts/local_judges/NAME/ with settings.yaml and prompt.txt.
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
@click.option("--judges", type=FILE, required=True, help="Folder with a folder a judge.")
@answer_options
def main(
    out: Path,
    judges: Path,
    files: AnswerFiles,
) -> None:
    """Have each of `judgments.local_judges` compare the student with each reference; write OUT.

    A comparison that is done is not computed again when a judge or a reference is added.

    \b
    Example:
      python -m alpacare.stages.local_judgments data/local_judgments/demo \\
          --judges prompts/local_judges --generations data/generations/demo.jsonl \\
          --base data/base_generations/demo.jsonl --references data/references/demo \\
          --local-references data/local_references/demo
    """
    settings = load("judgments", JudgmentsSettings)
    scratch = out.parent / ".scratch" / out.name
    cases = {name: show_both_orders(files.pairs(name)) for name in settings.references}
    with atomic_folder(out) as folder:
        for name in settings.local_judges:
            judge, prompt = read_local_judge(judges / name), JudgePrompt.read(judges / name)
            for reference, shown in cases.items():
                rows, run = _compare(judge, prompt, shown, scratch)
                click.echo(save_judgments(folder, reference, name, rows, run))


def _compare(
    judge: LoglikJudge, prompt: JudgePrompt, cases: Sequence[ShownPair], scratch: Path
) -> tuple[list[Judgment], dict[str, Any]]:
    if not cases:
        return [], {}
    scored, run = score_prompts(judge, prompt.fill_all(cases), scratch)
    return make_judgments(cases, [(each.raw, each.slot) for each in scored]), run


if __name__ == "__main__":
    main()
