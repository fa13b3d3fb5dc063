"""Behind `alpacare publish`: check all, say what would go where, and with --yes do it."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_folder, read_text
from alpacare.pipeline.params import read_params
from alpacare.publishing.assembling import (
    Tree,
    assemble_dataset,
    assemble_model,
    base_of,
    is_on_hub,
    sound_scores,
    teachers,
)
from alpacare.publishing.freshness import is_ignored, open_lock, read_commit
from alpacare.publishing.licences import choose, what_binds
from alpacare.publishing.package import CARD, SIGNATURE, Kind, Package

HUB = "hub"
_PART = r"[A-Za-z0-9_](?:[\w.-]*\w)?"
_ON_HUB = re.compile(rf"(?!.*(?:--|\.\.)){_PART}/{_PART}", re.ASCII)
_SHOWN = 5


@dataclass(frozen=True)
class Order:
    """What was asked for on the command line."""

    to: str
    out: Path | None
    dataset: str | None
    model: str | None
    licence: str | None
    model_licence: str | None
    licence_text: Path | None
    public: bool
    yes: bool

    def places(self) -> dict[Kind, str]:
        """Say where data set and model go: folders, or names on the Hub.

        Raises:
            BadInput: a place is missing, of the wrong form, or for another kind of target.
        """
        if self.to == HUB:
            return self._names()
        if self.dataset or self.model or self.public:
            raise BadInput("--dataset, --model and --public are for --to hub")
        if self.out is None:
            raise BadInput("--to folder needs --out, the folder to write")
        return {"dataset": str(self.out / "dataset"), "model": str(self.out / "model")}

    def _names(self) -> dict[Kind, str]:
        if self.out is not None:
            raise BadInput("--out is for --to folder")
        asked: dict[Kind, str | None] = {"dataset": self.dataset, "model": self.model}
        names = {kind: name for kind, name in asked.items() if name is not None}
        if not names:
            raise BadInput("--to hub needs --dataset ORG/NAME, --model ORG/NAME, or both")
        for name in names.values():
            if not _ON_HUB.fullmatch(name):
                raise BadInput(f"'{name}' is no name on the Hub: it is ORG/NAME, as our-lab/tasks")
        return names


def carry_out(order: Order) -> Iterator[str]:
    """Publish, or without `yes` only tell what would be published.

    Raises:
        BadInput: anything that is not as it should be; nothing is written.
    """
    places = order.places()
    commit = read_commit()
    if order.to == HUB and commit.changed:
        raise BadInput(
            f"{_list(commit.changed)}: not committed; commit first, as the card names the commit "
            "that made it"
        )
    with open_lock() as lock:
        tree = Tree(read_params(), lock, commit)
        if order.to != HUB:
            _check_way(tree, places)
        packages, notes = _assemble(order, tree, places)
    if commit.changed:
        notes.append(f"note: the card says that {_list(commit.changed)} are not committed")
    for package in packages:
        yield from _describe(package, places[package.kind], order)
    yield from notes
    if not order.yes:
        yield "nothing was written yet; --yes does it (make publish ... YES=1)"
        return
    yield from _write(order, packages, places)


def _assemble(order: Order, tree: Tree, places: dict[Kind, str]) -> tuple[list[Package], list[str]]:
    packages: list[Package] = []
    notes: list[str] = []
    sources, text = tree.params.sources, order.licence_text
    tree.lock.check(str(tree.responses))
    if "dataset" in places:
        binds = what_binds(sources, teachers(tree), None)
        licence = choose(order.licence, text, binds, sources)
        packages.append(assemble_dataset(tree, order.dataset or "dataset", licence))
    if "model" in places:
        base = base_of(tree)
        binds = what_binds(sources, teachers(tree), base)
        licence = choose(order.model_licence or order.licence, text, binds, sources)
        scores, notes = sound_scores(tree)
        if base is not None and not is_on_hub(tree):
            notes.append(f"note: card and training.json name the folder it started from: {base}")
        packages.append(assemble_model(tree, order.dataset, scores, licence))
    return packages, notes


def _check_way(tree: Tree, places: dict[Kind, str]) -> None:
    """Replace only what this command wrote; write only where `git add .` does not look."""
    for place in map(Path, places.values()):
        if output := tree.lock.holds(place):
            raise BadInput(f"{place}: lies in {output}, which DVC keeps; name another folder")
        if not is_ignored(place):
            raise BadInput(
                f"{place}: `git add .` would take it in; name a folder outside of the repository, "
                "or one that Git ignores, as published"
            )
        card = place / CARD
        if place.exists() and not (card.exists() and SIGNATURE in read_text(card)):
            raise BadInput(f"{place}: is there, and not from this command; move it away")


def _describe(package: Package, place: str, order: Order) -> Iterator[str]:
    sizes = package.sizes()
    seen = ""
    if order.to == HUB:
        seen = ", public" if order.public else ", private"
    size = _size(sum(sizes.values()))
    yield f"{package.kind} -> {place}: {len(sizes)} files, {size}, {package.licence}{seen}"
    for name, bytes_ in sizes.items():
        yield f"  {_size(bytes_):>9}  {name}"


def _write(order: Order, packages: list[Package], places: dict[Kind, str]) -> Iterator[str]:
    if order.to == HUB:
        from alpacare.publishing.hub_upload import upload

        yield from upload([(each, places[each.kind]) for each in packages], order.public)
        return
    for package in packages:
        with atomic_folder(Path(places[package.kind])) as folder:
            for name, content in package.files.items():
                _put(folder / name, content)
        yield f"written: {places[package.kind]}"


def _put(path: Path, content: bytes | Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        shutil.copyfile(content, path)


def _size(size: int) -> str:
    for unit in ("B", "KB", "MB"):
        if size < 1000:
            return f"{size:,.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}"
        size /= 1000  # type: ignore[assignment]
    return f"{size:,.1f} GB"


def _list(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"
