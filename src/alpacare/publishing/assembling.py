"""From the working tree to what is published: each file checked, each card written."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.files import read_json, read_text
from alpacare.evaluation.score import Score
from alpacare.evaluation.score_table import Cell, read_score
from alpacare.pipeline.params import Params
from alpacare.publishing.checkpoint_files import checkpoint_files, is_text
from alpacare.publishing.dataset_card import dataset_card
from alpacare.publishing.dataset_files import dataset_files
from alpacare.publishing.freshness import Commit, Lock
from alpacare.publishing.licences import Licence, what_binds
from alpacare.publishing.model_card import model_card
from alpacare.publishing.origin import FILTERED, tell_origin
from alpacare.publishing.package import CARD, Package
from alpacare.publishing.secrets import refuse_secrets
from alpacare.records.response import Response

CHECKPOINT = Path("models/checkpoint")
_RANDOM = "random"


@dataclass(frozen=True)
class Tree:
    """The working tree: settings, what DVC recorded, where Git stands, what was answered."""

    params: Params
    lock: Lock
    commit: Commit

    @property
    def responses(self) -> Path:
        """The file that the checkpoint learns from."""
        return Path(f"data/{self.params.sources.responses}.jsonl")

    @cached_property
    def rows(self) -> list[Response]:
        """What stands in it."""
        return jsonl.read(self.responses, Response, unique="id")


def teachers(tree: Tree) -> list[str]:
    """Name the models that answered."""
    return sorted({row.model for row in tree.rows})


def student(tree: Tree) -> Mapping[str, Any]:
    """Give the settings of the student that was trained: where it starts, at which commit."""
    tree.lock.check(str(CHECKPOINT))
    settings: Mapping[str, Any] = read_json(CHECKPOINT / "training.json")["settings"]["student"]
    return settings


def base_of(tree: Tree) -> str | None:
    """Name the model that the weights start from; None for a student made from nothing."""
    base = student(tree)["base"]
    return None if base == _RANDOM else base


def is_on_hub(tree: Tree) -> bool:
    """Tell whether the weights start from a commit of the Hub's, and not from a folder here."""
    return student(tree)["revision"] is not None


def assemble_dataset(tree: Tree, name: str, licence: Licence) -> Package:
    """Give the data set's files under the name by which others load it.

    Raises:
        BadInput: the responses are missing or stale, hold a key, or cannot be read.
    """
    hashes = tree.lock.check(str(tree.responses))
    refuse_secrets([tree.responses])
    rows, sources = tree.rows, tree.params.sources
    if not rows:
        raise BadInput(f"{tree.responses}: no rows to publish")
    facts = tell_origin(sources, rows, tree.lock)
    filtered = sources.responses == "responses"
    card = dataset_card(
        name=name,
        rows=len(rows),
        facts=facts,
        settings=tree.lock.settings(FILTERED)["filtered"] if filtered else None,
        licence=licence,
        binds=what_binds(sources, teachers(tree), None),
        commit=tree.commit,
        hashes=hashes,
    )
    return Package("dataset", licence.name, dataset_files(rows) | _papers(card, licence))


def assemble_model(
    tree: Tree, dataset: str | None, scores: Mapping[Cell, Score], licence: Licence
) -> Package:
    """Give the checkpoint's files, its card completed; `dataset` is the data's name on the Hub.

    Raises:
        BadInput: the checkpoint is missing or stale, or holds a key or what could run code.
    """
    hashes = tree.lock.check(str(CHECKPOINT))
    files = checkpoint_files(CHECKPOINT)
    refuse_secrets(path for path in files.values() if is_text(path))
    rows, sources = tree.rows, tree.params.sources
    base = base_of(tree)
    card = model_card(
        read_text(CHECKPOINT / CARD),
        on_the_hub=is_on_hub(tree),
        dataset=dataset,
        scores=scores,
        facts=tell_origin(sources, rows, tree.lock),
        licence=licence,
        binds=what_binds(sources, teachers(tree), base),
        commit=tree.commit,
        hashes=hashes,
        versions=read_json(CHECKPOINT / "versions.json"),
    )
    return Package("model", licence.name, files | _papers(card, licence))


def sound_scores(tree: Tree) -> tuple[dict[Cell, Score], list[str]]:
    """Give the scores of this checkpoint, and why others are left out."""
    scores, lost = {}, []
    for cell in tree.params.cells():
        path = f"metrics/scores/{cell[0]}/{cell[1]}/{cell[2]}.json"
        try:
            tree.lock.check(path)
            scores[cell] = read_score(Path(path))
        except BadInput as error:
            lost.append(f"note: left out of the card: {error}")
    return {cell: score for cell, score in scores.items() if score.n}, lost


def _papers(card: str, licence: Licence) -> dict[str, bytes | Path]:
    text = {"LICENSE": licence.text.encode()} if licence.text else {}
    return {CARD: card.encode(), **text}
