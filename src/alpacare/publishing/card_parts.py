"""Parts that the cards of data set and model share."""

from collections.abc import Iterable, Mapping, Sequence

from alpacare.publishing.freshness import Commit
from alpacare.publishing.licences import Licence
from alpacare.publishing.package import SIGNATURE

_SHOWN = 20  # changed files that a card lists by name


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(_cell, cells))} |\n" for cells in lines)


def licence_section(licence: Licence, binds: Sequence[str]) -> str:
    """Say what the user chose, and what binds beside it."""
    limits = "".join(f"- {line}\n" for line in binds)
    return f"""\
## Published under

{licence.link()}. It does not take back what binds its makers and you:

{limits}"""


def provenance_section(
    commit: Commit, hashes: Mapping[str, str], versions: Mapping[str, str]
) -> str:
    """Name the commit, DVC's hashes and the versions behind the files."""
    state = "with nothing uncommitted" if not commit.changed else _changes(commit.changed)
    return f"""\
## Provenance

Git commit `{commit.name}`, {state}

MD5 of what it was made from and of itself, as `dvc.lock` records them:

{table(("file", "MD5"), [(f"`{path}`", f"`{value}`") for path, value in hashes.items()])}
Versions: {", ".join(f"{name} {value}" for name, value in versions.items())}.

{SIGNATURE}
"""


def _cell(text: str) -> str:
    """Keep a name that somebody else chose inside of its cell."""
    return " ".join(text.split()).replace("|", "\\|")


def _changes(changed: Sequence[str]) -> str:
    more = f" and {len(changed) - _SHOWN:,} more" if len(changed) > _SHOWN else ""
    names = ", ".join(f"`{name}`" for name in changed[:_SHOWN])
    return f"**with uncommitted changes** in {names}{more}"
