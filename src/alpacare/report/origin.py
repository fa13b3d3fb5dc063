"""Provenance of the figures: commit, hashes of the data, models, versions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alpacare.core.errors import BadInput
from alpacare.core.files import read_text
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params
from alpacare.report.costs import Cost
from alpacare.report.tables import read_figures
from alpacare.report.trainings import name_base
from alpacare.sharing.git import changed_files, git
from alpacare.training.settings import CheckpointSettings

LOCK = Path("dvc.lock")


@dataclass(frozen=True)
class Origin:
    """`commit` and `date` are "" outside Git; `changed` are the files that differ from it.

    `hashes`: path, MD5 and bytes of each output, as dvc.lock has them. `students`: what each starts
    from. `models`: the models that answered, by step.
    """

    commit: str
    date: str
    changed: list[str]
    hashes: list[tuple[str, str, int]]
    students: list[tuple[str, str]]
    models: list[tuple[str, str]]
    versions: list[tuple[str, str]]


def read_origin(
    params: Params, students: Mapping[str, CheckpointSettings], costs: Sequence[Cost]
) -> Origin:
    """Read them from Git and dvc.lock.

    Raises:
        BadInput: dvc.lock is not a file of DVC.
    """
    commit, _, date = git("log", "-1", "--format=%H %cI").partition(" ")
    return Origin(
        commit=commit,
        date=date,
        changed=changed_files(),
        hashes=list(_hashes()),
        students=[(name, name_base(student)) for name, student in students.items()],
        models=[(cost.what, ", ".join(cost.models)) for cost in costs if cost.models],
        versions=_versions(params),
    )


def _hashes() -> Iterator[tuple[str, str, int]]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    text = read_text(LOCK) if LOCK.exists() else ""
    try:
        lock = YAML(typ="safe").load(text) or {}  # the parser in C: dvc.lock is long
        for stage in (lock.get("stages") or {}).values():
            for out in (stage or {}).get("outs", []):
                yield out["path"], out["md5"], out["size"]
    except (YAMLError, AttributeError, KeyError, TypeError) as error:
        raise BadInput(f"{LOCK}: not a lock file of DVC; run `git checkout {LOCK}`") from error


def _versions(params: Params) -> list[tuple[str, str]]:
    """Give the versions that made the first checkpoint that is here."""
    files = (paths.checkpoint(run) / "versions.json" for run in params.runs())
    path = next((path for path in files if path.exists()), None)
    versions = read_figures(path) if path else {}
    return [(str(name), str(version)) for name, version in versions.items()]
