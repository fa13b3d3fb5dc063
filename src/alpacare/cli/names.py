"""Names on the command line: what there is of each kind, for the Tab key and for errors."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from alpacare.core.command import OneLine
from alpacare.core.errors import BadInput


class Name(click.ParamType[str]):
    """The name of one of the things that `find` gives.

    An empty one, as `make` passes for an argument that is not given, is refused with the list of
    what there is; whether any other exists is for the command to say. `only`: refused here.
    """

    name = "name"

    def __init__(self, kind: str, find: Callable[[], Iterable[str]], only: bool = False) -> None:
        self.kind, self._find, self._only = kind, find, only

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Give the name back."""
        place = param.human_readable_name if param else self.kind
        if not value:
            raise OneLine(f"{place} is not given; name a {self.kind}: {self._listed()}")
        if self._only and value not in self._find():
            raise OneLine(f"{place}: no {self.kind} '{value}'; there are: {self._listed()}")
        return str(value)

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str:
        """Say what could be named."""
        return f"Name a {self.kind}: {self._listed()}"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the names that begin so."""
        return [CompletionItem(name) for name in self._there() if name.startswith(incomplete)]

    def _there(self) -> list[str]:
        with suppress(BadInput, OSError):  # a file of settings that cannot be read
            return sorted(set(self._find()))
        return []

    def _listed(self) -> str:
        return ", ".join(self._there()) or "none is here; is this the repository's top folder?"


def _files(*patterns: str) -> Callable[[], list[str]]:
    """Find names of files, without their ending, and of folders."""

    def find() -> list[str]:
        found = [path for pattern in patterns for path in Path().glob(pattern)]
        return [path.name if path.is_dir() else path.stem for path in found]

    return find


def _keys(path: str, section: str | None = None) -> list[str]:
    """Read the keys of a file of settings, or of one of its sections."""
    from alpacare.core.settings import read_yaml

    document = read_yaml(Path(path))
    return [*(document if section is None else document.get(section) or {})]


def _models() -> list[str]:
    """Read whom params.yaml lets compete or be compared with."""
    from alpacare.core.settings import read_yaml

    params = read_yaml(Path("params.yaml"))
    lists = (params.get("models") or {}).values()
    return [*params.get("students", []), *(name for names in lists for name in names)]


def _ranked() -> list[str]:
    """Read whom the leaderboard ranks: `compare` takes no other."""
    from alpacare.core.settings import read_yaml

    params = read_yaml(Path("params.yaml"))
    contestants = (params.get("judgments") or {}).get("contestants") or []
    return [*params.get("students", []), *contestants]


STUDENT = Name("student", _files("students/*.yaml"))
PRESET = Name("preset", _files("presets/*.yaml"))
TEST = Name("test set", _files("data/tests/*.jsonl"))
TEST_OR_BENCHMARK = Name("test set or benchmark", _files("data/tests/*.jsonl", "benchmarks/*"))
JUDGE = Name("judge", _files("prompts/judges/*", "prompts/local_judges/*"))
MODEL = Name("model", _models)
RANKED = Name("model", _ranked)
LAUNCHER = Name("launcher", _files("configs/launchers/*"))
DATASET = Name("dataset", lambda: _keys("configs/datasets.yaml"))
STAGE = Name("stage", lambda: _keys("dvc.yaml", "stages"))
IMPORTED = Name("stage", lambda: ["instructions", "responses"], only=True)
