"""Assembles packages from the working tree: checks each file, writes each card."""

import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from alpacare.compute.pinned_model import RANDOM
from alpacare.compute.scratch import hash_files
from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.files import read_json, read_text
from alpacare.core.names import public_name
from alpacare.evaluation.score import Cell, Score
from alpacare.evaluation.score_table import read_score
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params, Run, SourcesSettings
from alpacare.publishing.cards import FILTERED, describe_origin, render_card
from alpacare.publishing.checkpoint_files import checkpoint_files, is_text
from alpacare.publishing.croissant import describe_rows
from alpacare.publishing.dataset_files import dataset_files
from alpacare.publishing.freshness import REPRO, Commit, OutOfDate, RecordedOutputs
from alpacare.publishing.licences import Licence
from alpacare.publishing.local_paths import refuse_local_paths
from alpacare.publishing.model_index import make_model_index
from alpacare.publishing.package import CARD, Kind, Package
from alpacare.publishing.recorded_settings import again, check_answers, check_training
from alpacare.publishing.secrets import refuse_secrets
from alpacare.records.response import Response
from alpacare.training.settings import CheckpointSettings
from alpacare.training.student_file import read_student, student_file

_PACKAGES = ("alpacare", "dvc", "pyarrow")


@dataclass(frozen=True)
class WorkingTree:
    """The working tree: settings, the run to publish, DVC's records, Git's commit, the rows."""

    params: Params
    run: Run
    recorded: RecordedOutputs
    commit: Commit

    @cached_property
    def settings(self) -> CheckpointSettings:
        """The student's settings."""
        return read_student(student_file(self.run.student))

    @property
    def sources(self) -> SourcesSettings:
        """Where the data starts: for responses, what this student chooses its rows from."""
        own = self.settings.rows.source
        return (
            self.params.sources.model_copy(update={"responses": own})
            if own
            else (self.params.sources)
        )

    @property
    def responses(self) -> Path:
        """The file that the student chooses its rows from."""
        return Path(f"data/{self.sources.responses}.jsonl")

    @property
    def instructions(self) -> dict[str, Path]:
        """The tasks before and after the filter, by the names they are published by, if any."""
        if self.sources.answers != "responses":
            return {}
        return {
            "instructions.jsonl": paths.instructions(self.params),
            "filtered.jsonl": paths.rows("filtered"),
        }

    @property
    def chosen(self) -> Path:
        """The file of the rows that it chose."""
        return paths.student_rows(self.run.student)

    @property
    def checkpoint(self) -> Path:
        """The folder of its weights."""
        return paths.checkpoint(self.run)

    @cached_property
    def rows(self) -> list[Response]:
        """All rows that it could choose from."""
        return jsonl.read(self.responses, Response, unique="id")

    @cached_property
    def chosen_rows(self) -> list[Response]:
        """The rows that it chose.

        Raises:
            OutOfDate: one of them is not in the file that it chooses from.
        """
        chosen, known = jsonl.read(self.chosen, Response, unique="id"), set(self.rows)
        if not known.issuperset(chosen):
            raise OutOfDate(f"{self.chosen}: was made from another {self.responses}; {REPRO}")
        return chosen

    @cached_property
    def training(self) -> Mapping[str, Any]:
        """What the checkpoint says of its training, which is what DVC recorded.

        Raises:
            OutOfDate: the checkpoint is missing or stale, or DVC recorded other settings.
        """
        folder = str(self.checkpoint)
        self.recorded.check(folder)
        self.recorded.check(str(self.chosen))
        training: Mapping[str, Any] = read_json(self.checkpoint / "training.json")
        check_training(self.checkpoint / "training.json", training, self.recorded)
        if training["data"] != hash_files(self.chosen):
            raise OutOfDate(
                f"{self.checkpoint / 'training.json'}: it was trained on another {self.chosen} "
                f"than is here and in dvc.lock; {again(self.recorded.made_by(folder))}"
            )
        return training

    @property
    def base(self) -> str | None:
        """The base model of the weights; None for a student with random initial weights."""
        base: str = self.training["settings"]["base"]
        return None if base == RANDOM else public_name(base)

    @property
    def base_is_on_hub(self) -> bool:
        """Whether the base model is a commit on the Hub, and not a folder here."""
        on_hub = self.training["settings"]["revision"] is not None
        return on_hub and not self.training.get("base_sha256")


def answerers(rows: Iterable[Response]) -> list[str]:
    """Name the models that answered."""
    return sorted({public_name(row.model) for row in rows})


def assemble_dataset(tree: WorkingTree, name: str, licence: Licence) -> Package:
    """Assemble the dataset's files, for the name by which others load it.

    Raises:
        BadInput: a file of them is missing or stale, holds a key, or cannot be read.
    """
    hashes = tree.recorded.check(str(tree.responses))
    tasks = tree.instructions
    for path in tasks.values():
        tree.recorded.check(str(path))
    refuse_secrets([tree.responses, *tasks.values()])
    rows = tree.rows
    if not rows:
        raise BadInput(f"{tree.responses}: no rows to publish")
    versions = {"python": platform.python_version(), **{each: version(each) for each in _PACKAGES}}
    settings = tree.recorded.settings(FILTERED)["filtered"] if tasks else None
    values = {"name": name, "settings": settings, "hashes": hashes, "versions": versions}
    files = dataset_files(rows) | tasks
    files |= describe_rows(name, licence, tree.commit.name, files)
    return _package(tree, "dataset", licence, rows, files, values | {"tasks": bool(tasks)})


def assemble_model(
    tree: WorkingTree, dataset: str | None, scores: Mapping[Cell, Score], licence: Licence
) -> Package:
    """Assemble the checkpoint's files and complete its card; `dataset`: the data's name on the Hub.

    Raises:
        BadInput: the checkpoint is missing or stale, or holds a key or what could run code.
    """
    folder = tree.checkpoint
    hashes = tree.recorded.check(str(folder))
    files = checkpoint_files(folder)
    refuse_secrets(path for path in files.values() if is_text(path))
    written = re.fullmatch(r"---\n(.*?)\n---\n(.*)", read_text(folder / CARD), re.DOTALL)
    if not written:
        made_by = tree.recorded.made_by(str(folder))
        raise BadInput(f"{folder / CARD}: is not the card that training writes; {again(made_by)}")
    values = {
        "front_matter": written[1].splitlines(),
        "body": written[2].rstrip("\n"),
        "on_the_hub": tree.base_is_on_hub,
        "from_nothing": tree.base is None,
        "dataset": dataset,
        "run": tree.run,
        "file": tree.responses,
        "rows_there": len(tree.rows),
        "rows_settings": tree.training["settings"]["rows"],
        "scores": scores,
        "model_index": make_model_index(f"{tree.run}", scores),
        "hashes": hashes,
        "versions": read_json(folder / "versions.json"),
    }
    return _package(tree, "model", licence, tree.chosen_rows, files, values)


def current_scores(tree: WorkingTree) -> tuple[dict[Cell, Score], list[str]]:
    """Give the scores of this checkpoint, and why others are left out."""
    scores: dict[Cell, Score] = {}
    notes = []
    folders: dict[Path, list[Cell]] = {}  # what one stage wrote
    for cell in tree.params.cells():
        if (cell.model, cell.seed) == tree.run:
            folders.setdefault(paths.score(cell).parents[1], []).append(cell)
    for folder, cells in folders.items():
        try:
            tree.recorded.check(str(folder))
            check_answers(cells[0].test, tree.run, tree.recorded)
            found = {cell: read_score(paths.score(cell)) for cell in cells}
        except BadInput as error:
            notes.append(f"note: left out of the card: {error}")
        else:
            scores |= {cell: score for cell, score in found.items() if score.n}
    return scores, notes


def _package(
    tree: WorkingTree,
    kind: Kind,
    licence: Licence,
    rows: Sequence[Response],
    files: Mapping[str, bytes | Path],
    values: Mapping[str, Any],
) -> Package:
    """Add the card, and the licence's text where it is the user's own, to the files."""
    origin = describe_origin(tree.sources, rows, tree.recorded)
    card = render_card(kind, tree.commit, {"licence": licence, **origin, **values})
    own = {"LICENSE": licence.text.encode()} if licence.text else {}
    package = Package(kind, licence.name, {**files, CARD: card.encode(), **own})
    base = Path(tree.settings.base)
    refuse_local_paths(package, {Path.home(), Path.cwd(), *([base] if base.is_absolute() else [])})
    return package
