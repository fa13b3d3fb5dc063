"""Where the figures come from: commit, hashes of the data, models, versions."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.core.files import read_json, read_text
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params
from alpacare.report.costs import Cost
from alpacare.sharing.git import changed_files, git

LOCK = Path("dvc.lock")


@dataclass(frozen=True)
class Origin:
    """`commit` and `date` are "" outside Git; `changed` are the files that differ from it.

    `hashes`: path, MD5 and bytes of each output, as dvc.lock has them. `student`: what training
    starts from. `models`: which answered, by what they did.
    """

    commit: str
    date: str
    changed: list[str]
    hashes: list[tuple[str, str, int]]
    student: str
    models: list[tuple[str, str]]
    versions: list[tuple[str, str]]


def read_origin(params: Params, costs: Sequence[Cost]) -> Origin:
    """Ask Git and dvc.lock.

    Raises:
        BadInput: a dvc.lock that is none.
    """
    commit, _, date = git("log", "-1", "--format=%H %cI").partition(" ")
    paid = [(cost.what, ", ".join(cost.models)) for cost in costs if cost.models]
    return Origin(
        commit, date, changed_files(), list(_hashes()), _student(params), paid, _versions()
    )


def _student(params: Params) -> str:
    """Name the model that training starts from."""
    student = params.checkpoint.student
    if student.base == "random":
        return "random weights"
    return f"{student.base} at {student.revision}" if student.revision else student.base


def _hashes() -> Iterator[tuple[str, str, int]]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    lines = read_text(LOCK).splitlines() if LOCK.exists() else []
    try:
        lock = YAML(typ="safe", pure=True).load("\n".join(_outs_only(lines))) or {}
        for stage in (lock.get("stages") or {}).values():
            for out in (stage or {}).get("outs", []):
                yield out["path"], out["md5"], out["size"]
    except (YAMLError, AttributeError, KeyError, TypeError) as error:
        raise BadInput(f"{LOCK}: is none of DVC's; `git checkout {LOCK}` brings it back") from error


def _outs_only(lines: Iterable[str]) -> Iterator[str]:
    """Leave out what is not shown: to read all of dvc.lock takes longer than all the rest."""
    kept = True
    for line in lines:
        if not line.startswith(("    -", "     ")):  # a key of a stage, or what is above it
            kept = not line.startswith("    ") or line == "    outs:"
        if kept:
            yield line


def _versions() -> list[tuple[str, str]]:
    """Give the versions that made the checkpoint, where it is here."""
    path = paths.checkpoint() / "versions.json"
    told: Any = read_json(path) if path.exists() else {}
    if not isinstance(told, dict):
        raise BadInput(f"{path}: does not hold versions; run `dvc checkout`")
    return [(str(name), str(version)) for name, version in told.items()]
