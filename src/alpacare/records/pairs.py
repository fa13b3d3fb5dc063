"""The student's answers and those of others on one test set, joined by id."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from alpacare.core import jsonl
from alpacare.core.command import FILE, check_files
from alpacare.core.errors import BadInput
from alpacare.records.comparisons import BASE
from alpacare.records.generation import Generation

Pairs = list[tuple[Generation, Generation]]


def pair_answers(generations: Path, reference: Path) -> Pairs:
    """Join the student's answers with a reference's, in the order of the student's.

    No pairs with a reference that has not answered this test set.

    Raises:
        BadInput: an id that only one of the files has, or no answers by the student.
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


@dataclass(frozen=True)
class AnswerFiles:
    """Whose answers are where: the student's, the base model's, and folders with NAME.jsonl."""

    generations: Path
    base: Path
    folders: tuple[Path, ...]

    def pairs(self, name: str) -> Pairs:
        """Join the student's answers with those of the reference `name`.

        Raises:
            BadInput: it has no answers, or as `pair_answers`.
        """
        found = [folder / f"{name}.jsonl" for folder in self.folders]
        for path in [self.base] if name == BASE else found:
            if path.exists():
                return pair_answers(self.generations, path)
        places = " or ".join(map(str, self.folders))
        raise BadInput(f"no answers by '{name}' in {places}; is it in `references`?")


def answer_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that name the answers; it gets them as `files`."""

    @click.option("--generations", type=FILE, required=True, help="The student's answers.")
    @click.option("--base", type=FILE, required=True, help="Those of the student before training.")
    @click.option("--references", type=FILE, required=True, help="Folder of other models' answers.")
    @click.option("--local-references", type=FILE, required=True, help="Another one.")
    @wraps(command)
    def with_files(
        generations: Path, base: Path, references: Path, local_references: Path, **others: Any
    ) -> None:
        check_files([generations, base], [])
        command(files=AnswerFiles(generations, base, (references, local_references)), **others)

    return with_files
