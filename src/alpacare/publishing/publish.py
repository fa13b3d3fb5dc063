"""`alpacare publish`: checks all, lists what would be written, and with --yes writes it."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_folder, read_text
from alpacare.core.texts import counted
from alpacare.display.text import name_some
from alpacare.pipeline.params import Params, Run, read_params
from alpacare.publishing.assembling import (
    WorkingTree,
    answerers,
    assemble_dataset,
    assemble_model,
    current_scores,
)
from alpacare.publishing.freshness import OutOfDate, is_ignored, open_recorded, read_commit
from alpacare.publishing.licences import choose_licence
from alpacare.publishing.package import CARD, SIGNATURE, Kind, Package

HUB = "hub"
_PART = r"[A-Za-z0-9_](?:[\w.-]*\w)?"
_ON_HUB = re.compile(rf"(?!.*(?:--|\.\.)){_PART}/{_PART}", re.ASCII)


@dataclass(frozen=True)
class PublishOptions:
    """The options of the command."""

    to: str
    out: Path | None
    dataset: str | None
    model: str | None
    licence: str | None
    model_licence: str | None
    licence_text: Path | None
    public: bool
    yes: bool
    student: str | None = None
    seed: int | None = None

    @property
    def names_weights(self) -> bool:
        """Whether weights are asked for by name; else the data goes without them if need be."""
        return self.to == HUB or self.student is not None or self.seed is not None

    def targets(self) -> dict[Kind, str]:
        """Give the targets of dataset and model: folders, or names on the Hub.

        Raises:
            BadInput: a target is missing, of the wrong form, or of another kind.
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
                raise BadInput(f"'{name}' is not a name on the Hub: write ORG/NAME")
        return names

    def run(self, params: Params) -> Run:
        """Give the student and the training seed asked for, or the first.

        Raises:
            BadInput: params.yaml does not name them.
        """
        if self.student is not None and self.student not in params.students:
            known = ", ".join(params.students)
            raise BadInput(f"--student: '{self.student}' is not in students: {known}")
        if self.seed is not None and self.seed not in params.training_seeds:
            known = ", ".join(map(str, params.training_seeds))
            raise BadInput(f"--seed: {self.seed} is not in training_seeds: {known}")
        seed = params.training_seeds[0] if self.seed is None else self.seed
        return Run(self.student or params.students[0], seed)


def publish_packages(options: PublishOptions) -> Iterator[str]:
    """Publish, or without `yes` only list what would be published; yield lines to print.

    Raises:
        BadInput: a check failed; nothing is written.
    """
    targets = options.targets()
    commit = read_commit()
    if options.to == HUB and commit.changed:
        raise BadInput(
            f"{name_some(commit.changed)}: not committed; commit first, as the card names the "
            "commit that made it"
        )
    with open_recorded() as recorded:
        params = read_params()
        tree = WorkingTree(params, options.run(params), recorded, commit)
        if options.to != HUB:
            _check_folders(tree, targets)
        packages, notes = _assemble(options, tree, targets)
    if commit.changed:
        notes.append(f"note: the card says that {name_some(commit.changed)} are not committed")
    if len(params.runs()) > 1 and any(package.kind == "model" for package in packages):
        yield f"weights of {tree.run}; others: --student, --seed (make publish ... STUDENT= SEED=)"
    for package in packages:
        yield from _describe(package, targets[package.kind], options)
    yield from notes
    if not options.yes:
        yield "nothing was written yet; --yes does it (make publish ... YES=1)"
        return
    yield from _write(options, packages, targets)


def _assemble(
    options: PublishOptions, tree: WorkingTree, targets: dict[Kind, str]
) -> tuple[list[Package], list[str]]:
    packages: list[Package] = []
    notes: list[str] = []
    sources, text = tree.sources, options.licence_text
    tree.recorded.check(str(tree.responses))
    if "dataset" in targets:
        licence = choose_licence(options.licence, text, sources, answerers(tree.rows), None)
        packages.append(assemble_dataset(tree, options.dataset or "dataset", licence))
    if "model" in targets:
        try:
            package, notes = _assemble_model(options, tree)
            packages.append(package)
        except OutOfDate as error:
            if options.names_weights:
                raise
            notes.append(f"note: the data alone, without weights: {error}")
    return packages, notes


def _assemble_model(options: PublishOptions, tree: WorkingTree) -> tuple[Package, list[str]]:
    name = options.model_licence or options.licence
    base, models = tree.base, answerers(tree.chosen_rows)
    licence = choose_licence(name, options.licence_text, tree.sources, models, base)
    scores, notes = current_scores(tree)
    return assemble_model(tree, options.dataset, scores, licence), notes


def _check_folders(tree: WorkingTree, targets: dict[Kind, str]) -> None:
    """Check that a target is new or from this command, and that Git ignores it.

    Raises:
        BadInput: it is not.
    """
    for target in map(Path, targets.values()):
        if output := tree.recorded.output_containing(target):
            raise BadInput(f"{target}: is in {output}, which DVC tracks; name another folder")
        if not is_ignored(target):
            raise BadInput(
                f"{target}: `git add .` would add it; name a folder outside of the repository, "
                "or one that Git ignores, as published"
            )
        card = target / CARD
        if target.exists() and not (card.exists() and SIGNATURE in read_text(card)):
            raise BadInput(f"{target}: exists, and is not from this command; move it away")


def _describe(package: Package, target: str, options: PublishOptions) -> Iterator[str]:
    sizes = package.sizes()
    access = ""
    if options.to == HUB:
        access = ", public" if options.public else ", private"
    files, size = counted(len(sizes), "file"), _size(sum(sizes.values()))
    yield f"{package.kind} -> {target}: {files}, {size}, {package.licence}{access}"
    for name, bytes_ in sizes.items():
        yield f"  {_size(bytes_):>9}  {name}"


def _write(
    options: PublishOptions, packages: list[Package], targets: dict[Kind, str]
) -> Iterator[str]:
    if options.to == HUB:
        from alpacare.publishing.hub_upload import upload

        yield from upload([(each, targets[each.kind]) for each in packages], options.public)
        return
    for package in packages:
        with atomic_folder(Path(targets[package.kind])) as folder:
            for name, content in package.files.items():
                _write_file(folder / name, content)
        yield f"written: {targets[package.kind]}"


def _write_file(path: Path, content: bytes | Path) -> None:
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
