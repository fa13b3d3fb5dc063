"""The `alpacare` command: all that is not a stage. Each verb is in one section of its help."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from alpacare.cli.ask import ask, name_checkpoint
from alpacare.cli.comparison import (
    ablate,
    agreement,
    compare,
    diff,
    leaderboard,
    safety,
    scores,
    table,
)
from alpacare.cli.data import benchmark, fetch, import_data, labels, test_set
from alpacare.cli.ledger import ledger
from alpacare.cli.lineage import doctor, funnel, trace
from alpacare.cli.pipeline import accept, changes, check, graph, quote, targets
from alpacare.cli.publish import publish
from alpacare.cli.remotes import pull, push, remote
from alpacare.cli.report import report
from alpacare.cli.review import review, review_import
from alpacare.cli.settings import pin, preset, presets, set_settings
from alpacare.cli.training import train
from alpacare.core.command import Verbs

SECTIONS: Mapping[str, Sequence[click.Command]] = {
    "Before a run": (doctor, check, quote, changes, accept, graph, targets),
    "Settings": (presets, preset, set_settings, pin, ablate),
    "Data": (fetch, import_data, test_set, benchmark, labels),
    "Results": (leaderboard, compare, scores, diff, table, report),
    "Students": (train, ask, name_checkpoint),
    "Judges and people": (agreement, safety, review, review_import),
    "Where a row comes from": (funnel, trace),
    "With others": (remote, push, pull, publish, ledger),
}


class Sections(Verbs):
    """A group whose help lists its commands by section, a whole line each."""

    def __init__(
        self, name: str, sections: Mapping[str, Sequence[click.Command]], **kwargs: Any
    ) -> None:
        every = [command for commands in sections.values() for command in commands]
        super().__init__(name, every, **kwargs)
        self._sections = sections

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections, with one column for all names."""
        width = max(map(len, self.commands))
        for title, commands in self._sections.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(f"{each.name:{width}}", each.get_short_help_str(200)) for each in commands]
                )


def _print_version(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if not asked:
        return
    import platform
    import tomllib
    from importlib.metadata import version

    # of this clone: in the container, and where pyproject.toml has changed, no package says so
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    python = platform.python_version()
    click.echo(f"alpacare {project['version']}, DVC {version('dvc')}, Python {python}")
    context.exit()


@click.group(
    cls=Sections,
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
`alpacare VERB -h` has examples. `make help` lists the usual tasks.
Names complete with Tab after this line, in bash (or zsh: zsh_source):
  eval "$(_ALPACARE_COMPLETE=bash_source alpacare)"
""",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the versions of alpacare, DVC and Python.",
)
def main() -> None:
    """Medical instruction tuning as one DVC pipeline."""


if __name__ == "__main__":
    main()
