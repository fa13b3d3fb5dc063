"""Answers of two models to one test set, joined by id."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

import click

from alpacare.core import jsonl
from alpacare.core.command import FILE, check_files
from alpacare.core.errors import BadInput
from alpacare.records.comparisons import JudgmentsSettings
from alpacare.records.generation import Generation

Pairs = list[tuple[Generation, Generation]]


def pair_answers(generations: Path, reference: Path) -> Pairs:
    """Join a model's answers with a reference's, in the order of the model's.

    No pairs with a reference that has not answered this test set.

    Raises:
        BadInput: an id that only one of the files has, or no answers by the model.
    """
    ours = jsonl.read(generations, Generation, unique="id")
    theirs = {row.id: row for row in jsonl.read(reference, Generation, unique="id")}
    if not ours:
        raise BadInput(f"{generations}: no answers to judge")
    if not theirs:
        return []
    for row in ours:
        if row.id not in theirs:
            raise BadInput(f"{reference}: no answer to task {row.id}, which {generations} has")
    for id in sorted(theirs.keys() - {row.id for row in ours}):
        raise BadInput(f"{generations}: no answer to task {id}, which {reference} has")
    return [(row, theirs[row.id]) for row in ours]


class Comparison(NamedTuple):
    """One model's answers beside a reference's; `place` is its folder in judgments and scores."""

    place: Path
    reference: str
    pairs: Pairs

    def __str__(self) -> str:
        return " vs ".join(self.place.parts) if len(self.place.parts) > 1 else self.reference


@dataclass(frozen=True)
class AnswerFiles:
    """Whose answers are where: folders of models with NAME.jsonl, and maybe a student's.

    With `student`, its answers are compared, with those of the models and of `head_to_head`; else
    the models' that compete.
    """

    folders: tuple[Path, ...]
    student: Path | None
    head_to_head: Path | None

    def find(self, name: str) -> Path:
        """Find a model's answers.

        Raises:
            BadInput: it has none.
        """
        for path in (folder / f"{name}.jsonl" for folder in self.folders):
            if path.exists():
                return path
        places = " or ".join(map(str, self.folders))
        raise BadInput(f"no answers by '{name}' in {places}; is it in `models`?")

    def comparisons(self, settings: JudgmentsSettings) -> list[Comparison]:
        """Pair all answers that are compared.

        Raises:
            BadInput: a model has no answers, or as `pair_answers`.
        """
        if self.student is None:
            return [
                self._compare(Path(name, reference), self.find(name), self.find(reference))
                for name in settings.contestants
                for reference in settings.references_of(name)
            ]
        found = {name: self.find(name) for name in settings.references}
        if self.head_to_head and self.head_to_head != self.student:
            found[settings.head_to_head] = self.head_to_head
        return [self._compare(Path(name), self.student, path) for name, path in found.items()]

    def alone(self, settings: JudgmentsSettings) -> dict[Path, Path]:
        """Give the answers that judges by rubrics grade, by the folder of what they say.

        Raises:
            BadInput: a model has no answers.
        """
        if self.student is not None:
            return {Path(): self.student}
        return {Path(name): self.find(name) for name in settings.contestants}

    def _compare(self, place: Path, answers: Path, reference: Path) -> Comparison:
        # another model need not have answered every test set
        silent = self.student is None and not answers.stat().st_size
        return Comparison(place, place.name, [] if silent else pair_answers(answers, reference))


def answer_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that name the answers; it gets them as `files`."""

    @click.option("--generations", type=FILE, help="A student's answers; without: the models'.")
    @click.option("--head-to-head", type=FILE, help="Those of another student, as a reference.")
    @click.option("--models", type=FILE, required=True, help="Folder of other models' answers.")
    @click.option("--local-models", type=FILE, required=True, help="Another one.")
    @wraps(command)
    def with_files(
        generations: Path | None,
        head_to_head: Path | None,
        models: Path,
        local_models: Path,
        **others: Any,
    ) -> None:
        check_files([generations], [])
        command(files=AnswerFiles((models, local_models), generations, head_to_head), **others)

    return with_files
