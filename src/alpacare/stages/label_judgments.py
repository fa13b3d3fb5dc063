"""Stage `label_judgments`: judges by rubrics grade answers that people have labelled.

`alpacare agreement` then says how far the judges agree with these people.
"""

from pathlib import Path

import click

from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.files import atomic_folder
from alpacare.core.settings import load
from alpacare.judging.dialogue import ask_judges
from alpacare.judging.judges import read_rubric_judge
from alpacare.judging.rubric_request import (
    GradedAnswer,
    make_rubric_judgments,
    make_rubric_requests,
)
from alpacare.llm.usage import count_usage
from alpacare.records.comparisons import JudgmentsSettings
from alpacare.records.labelled import read_labels
from alpacare.records.rubric import save_rubric_judgments


@click.command(cls=Stage)
@click.argument("labels", type=FILE)
@click.argument("out", type=FILE)
@click.option("--judges", type=FILE, required=True, help="Folder with a folder a judge.")
def main(labels: Path, out: Path, judges: Path) -> None:
    """Have each of `judgments.rubric_judges` grade the answers in LABELS; write OUT/JUDGE.jsonl.

    It is not shown the labels.

    \b
    Example:
      python -m alpacare.stages.label_judgments data/labels/healthbench-labels.jsonl \\
          data/label_judgments/healthbench-labels --judges prompts/judges
    """
    check_files([labels], [])
    settings = load("judgments", JudgmentsSettings)
    graders = {name: read_rubric_judge(judges / name) for name in settings.rubric_judges}
    cases = [GradedAnswer(row.task(), row.answer()) for row in read_labels(labels)]
    asked = {
        name: make_rubric_requests(judge, judges / name, cases) for name, judge in graders.items()
    }
    ask_judges([request for requests in asked.values() for request in requests])
    with atomic_folder(out) as folder:
        for name, requests in asked.items():
            rows = make_rubric_judgments(name, requests)
            usage = count_usage(reply for each in requests for reply in each.dialogue.replies)
            click.echo(save_rubric_judgments(folder, name, labels.stem, rows, usage))


if __name__ == "__main__":
    main()
