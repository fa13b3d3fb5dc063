"""Stage `llm_usage`: what a paid stage used, as metrics in Git.

The paid stage's own report is cached by DVC with its other outputs; this copy is what
`dvc metrics diff` compares across commits.
"""

from pathlib import Path

import click

from alpacare.core.command import FILE, Stage
from alpacare.core.files import read_json, write_json
from alpacare.core.texts import counted


@click.command(cls=Stage)
@click.argument("report", type=FILE)
@click.argument("metrics", type=FILE)
def main(report: Path, metrics: Path) -> None:
    """Copy a paid stage's REPORT to METRICS, and sum it up in a line.

    \b
    Example:
      python -m alpacare.stages.llm_usage data/usage/responses.json metrics/llm_usage/responses.json
    """
    usage = read_json(report)
    write_json(metrics, usage)
    drift = "; MODEL DRIFT, see 'models' and 'fingerprints'" if usage["drift"] else ""
    click.echo(
        f"{report.stem}: {counted(usage['calls'], 'call')}, {usage['tokens_in']:,} tokens in, "
        f"{usage['tokens_out']:,} out, ${usage['dollars']:.2f}{drift}"
    )


if __name__ == "__main__":
    main()
