"""Assembles packages from the working tree: checks each file, writes each card."""

import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from alpacare.compute.scratch import hash_files
from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.files import read_json, read_text
from alpacare.core.names import public_name
from alpacare.evaluation.score import Cell, Score
from alpacare.evaluation.score_table import read_score
from alpacare.pipeline.params import Params
from alpacare.publishing.cards import FILTERED, describe_origin, render_card
from alpacare.publishing.checkpoint_files import checkpoint_files, is_text
from alpacare.publishing.dataset_files import dataset_files
from alpacare.publishing.freshness import Commit, RecordedOutputs
from alpacare.publishing.licences import Licence
from alpacare.publishing.local_paths import refuse_local_paths
from alpacare.publishing.package import CARD, Kind, Package
from alpacare.publishing.recorded_settings import check_answers, check_training
from alpacare.publishing.secrets import refuse_secrets
from alpacare.records.response import Response

CHECKPOINT = Path("models/checkpoint")
_PACKAGES = ("alpacare", "dvc", "pyarrow")


@dataclass(frozen=True)
class WorkingTree:
    """The working tree: settings, DVC's records, Git's commit, the responses, the student."""

    params: Params
    recorded: RecordedOutputs
    commit: Commit

    @property
    def responses(self) -> Path:
        """The file that the checkpoint learns from."""
        return Path(f"data/{self.params.sources.responses}.jsonl")

    @cached_property
    def rows(self) -> list[Response]:
        """Its rows."""
        return jsonl.read(self.responses, Response, unique="id")

    @property
    def models(self) -> list[str]:
        """The models that answered."""
        return sorted({public_name(row.model) for row in self.rows})

    @cached_property
    def training(self) -> Mapping[str, Any]:
        """What the checkpoint says of its training, which is what DVC recorded.

        Raises:
            BadInput: the checkpoint is missing or stale, or DVC recorded other settings.
        """
        self.recorded.check(str(CHECKPOINT))
        training: Mapping[str, Any] = read_json(CHECKPOINT / "training.json")
        check_training(training, self.recorded.settings(str(CHECKPOINT)).get("checkpoint"))
        if training["data"] != hash_files(self.responses):
            raise BadInput(
                f"{CHECKPOINT / 'training.json'}: it was trained on another {self.responses} than "
                "is here and in dvc.lock; run `dvc repro --single-item --force checkpoint`"
            )
        return training

    @property
    def base(self) -> str | None:
        """The base model of the weights; None for a student with random initial weights."""
        base: str = self.training["settings"]["student"]["base"]
        return None if base == "random" else public_name(base)

    @property
    def base_is_on_hub(self) -> bool:
        """Whether the base model is a commit on the Hub, and not a folder here."""
        on_hub = self.training["settings"]["student"]["revision"] is not None
        return on_hub and not self.training.get("base_sha256")


def assemble_dataset(tree: WorkingTree, name: str, licence: Licence) -> Package:
    """Assemble the dataset's files, for the name by which others load it.

    Raises:
        BadInput: the responses are missing or stale, hold a key, or cannot be read.
    """
    hashes = tree.recorded.check(str(tree.responses))
    refuse_secrets([tree.responses])
    rows, sources = tree.rows, tree.params.sources
    if not rows:
        raise BadInput(f"{tree.responses}: no rows to publish")
    filtered = sources.responses == "responses"
    versions = {"python": platform.python_version(), **{each: version(each) for each in _PACKAGES}}
    settings = tree.recorded.settings(FILTERED)["filtered"] if filtered else None
    values = {"name": name, "settings": settings, "hashes": hashes, "versions": versions}
    return _package(tree, "dataset", licence, dataset_files(rows), values)


def assemble_model(
    tree: WorkingTree, dataset: str | None, scores: Mapping[Cell, Score], licence: Licence
) -> Package:
    """Assemble the checkpoint's files and complete its card; `dataset`: the data's name on the Hub.

    Raises:
        BadInput: the checkpoint is missing or stale, or holds a key or what could run code.
    """
    hashes = tree.recorded.check(str(CHECKPOINT))
    files = checkpoint_files(CHECKPOINT)
    refuse_secrets(path for path in files.values() if is_text(path))
    written = re.fullmatch(r"---\n(.*?)\n---\n(.*)", read_text(CHECKPOINT / CARD), re.DOTALL)
    if not written:
        raise BadInput(
            f"{CHECKPOINT / CARD}: is not the card that training writes; run `dvc repro checkpoint`"
        )
    values = {
        "front_matter": written[1].splitlines(),
        "body": written[2].rstrip("\n"),
        "on_the_hub": tree.base_is_on_hub,
        "dataset": dataset,
        "scores": scores,
        "hashes": hashes,
        "versions": read_json(CHECKPOINT / "versions.json"),
    }
    return _package(tree, "model", licence, files, values)


def current_scores(tree: WorkingTree) -> tuple[dict[Cell, Score], list[str]]:
    """Give the scores of this checkpoint, and why others are left out."""
    scores: dict[Cell, Score] = {}
    notes = []
    for test in tree.params.tests:
        folder = Path("metrics/scores", test)
        try:
            tree.recorded.check(str(folder))
            check_answers(test, tree.recorded)
            cells = [cell for cell in tree.params.cells() if cell[0] == test]
            found = {cell: read_score(folder / cell[1] / f"{cell[2]}.json") for cell in cells}
        except BadInput as error:
            notes.append(f"note: left out of the card: {error}")
        else:
            scores |= {cell: score for cell, score in found.items() if score.n}
    return scores, notes


def _package(
    tree: WorkingTree,
    kind: Kind,
    licence: Licence,
    files: Mapping[str, bytes | Path],
    values: Mapping[str, Any],
) -> Package:
    """Add the card, and the licence's text where it is the user's own, to the files."""
    origin = describe_origin(tree.params.sources, tree.rows, tree.recorded)
    card = render_card(kind, tree.commit, {"licence": licence, **origin, **values})
    own = {"LICENSE": licence.text.encode()} if licence.text else {}
    package = Package(kind, licence.name, {**files, CARD: card.encode(), **own})
    base = Path(tree.params.checkpoint.student.base)
    refuse_local_paths(package, {Path.home(), Path.cwd(), *([base] if base.is_absolute() else [])})
    return package
