"""The key of a sample: whose answer is on which side. The team keeps it; reviewers get the page.

data/reviews/keys/SAMPLE.json, kept in Git: {"sample": "5c1e...", "test": "demo", "reference":
"terse", "seed": 0, "items": [{"id": "77d0...", "a": "model", "generation": "5f70...",
"reference_answer": "81ab..."}, ...], "student": "all-rows", "training_seed": 0, "sha256": "3e..."}

`seed` drew the items. `sha256` is the hash of the rest, so that a side changed by a slip of the
hand shows; it is no proof against who means to deceive: Git says who changed the file. Keys of
earlier versions lack it, and they lack the student, as there was only one.

The sides are drawn at random and are in no other file: sides computed from the texts could be
computed by anybody with this program and the page. The key is enough to find out later who won,
even when the page is gone and the student has changed.
"""

import hashlib
import json
import secrets
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import StringConstraints, model_validator

from alpacare.core.errors import BadInput
from alpacare.core.files import read_json, write_json
from alpacare.core.jsonl import Row, validate
from alpacare.core.texts import repair_text
from alpacare.pipeline.params import Run
from alpacare.records.judgment import Verdict
from alpacare.records.pairs import Pairs
from alpacare.records.review import Review, Sha256, answer_hash
from alpacare.records.task import Text

KEYS = Path("data/reviews/keys")

SampleId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]  # also a file name
Side = Literal["model", "reference"]
Choice = Literal["a", "b", "tie"]
T = TypeVar("T")


class StudentReview(Review):
    """A person's verdict, and whose answer it is about: a student's, trained with this seed.

    Rows of earlier versions name no student: `generation` tells whose answer it was.
    """

    student: Text | None = None
    training_seed: int | None = None


class KeyItem(Row):
    """Whose answer is shown as A, and the `answer_hash` of both."""

    id: str
    a: Side
    generation: Sha256
    reference_answer: Sha256

    def verdict(self, choice: Choice) -> Verdict:
        """Give the winner if this side won; two equal answers are always a tie."""
        if choice == "tie" or self.generation == self.reference_answer:
            return "tie"
        sides: tuple[Side, Side] = self.as_shown("model", "reference")
        return sides["ab".index(choice)]

    def as_shown(self, ours: T, theirs: T) -> tuple[T, T]:
        """Order what belongs to the student and to the reference: A's, then B's."""
        return (ours, theirs) if self.a == "model" else (theirs, ours)


class Key(Row):
    """One sample: what was compared, and its items in the order shown.

    `width`: of the interval that it was drawn for, in points; null where a number was asked for.
    """

    sample: SampleId
    test: str
    reference: str
    seed: int
    items: list[KeyItem]
    student: Text | None = None
    training_seed: int | None = None
    width: float | None = None
    sha256: Sha256 | None = None

    @model_validator(mode="after")
    def _as_drawn(self) -> Self:
        ids = [item.id for item in self.items]
        if twice := [id for id, times in Counter(ids).items() if times > 1]:
            raise ValueError(
                f"item {twice[0]} is in it twice; take the key as it was drawn with `git checkout`"
            )
        if self.sha256 not in (None, self.digest()):
            raise ValueError(
                "was changed after it was drawn: its sides cannot be relied on, so no review of "
                "this sample counts; take it back with `git checkout`"
            )
        return self

    def digest(self) -> str:
        """Give the SHA-256 of all but `sha256`, as canonical JSON."""
        # without what keys of earlier versions lack: theirs stay the same
        known = self.model_dump(exclude={"sha256"}, exclude_none=True)
        text = json.dumps(known, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def by_id(self) -> dict[str, KeyItem]:
        """Give the items by their ids."""
        return {item.id: item for item in self.items}

    def unblind(
        self, item: KeyItem, choice: Choice, place: str, reviewer: str, criterion: str, comment: str
    ) -> StudentReview:
        """Turn a reviewer's blind choice into a review; errors begin with `place`."""
        review = self.model_dump(include={"test", "reference", "student", "training_seed"})
        review |= item.model_dump(exclude={"a"})
        review |= {"reviewer": reviewer, "criterion": criterion, "comment": repair_text(comment)}
        return validate(StudentReview, review | {"verdict": item.verdict(choice)}, place)


def make_key(
    test: str, run: Run, reference: str, seed: int, pairs: Pairs, width: float | None
) -> Key:
    """Read the key of exactly this sample if there is one, else draw the sides and write it.

    So the same command makes the same page again, and verdicts saved in a browser still fit.
    """
    sides: list[Side] = ["model", "reference"] * ((len(pairs) + 1) // 2)
    secrets.SystemRandom().shuffle(sides)  # half each: a preference for A must not favour a side
    items = [
        KeyItem(
            id=ours.id,
            a=side,
            generation=answer_hash(ours.output),
            reference_answer=answer_hash(theirs.output),
        )
        for (ours, theirs), side in zip(pairs, sides, strict=False)  # one may be left over
    ]
    drawn = Key(
        sample=secrets.token_hex(8),
        test=test,
        reference=reference,
        seed=seed,
        items=items,
        student=run.student,
        training_seed=run.seed,
        width=width,
    )
    drawn = drawn.model_copy(update={"sha256": drawn.digest()})
    for known in all_keys():
        if _without_sides(known) == _without_sides(drawn):
            return known
    write_json(key_path(drawn.sample), drawn.model_dump())
    return drawn


def all_keys() -> list[Key]:
    """Read all keys."""
    return [_read(path) for path in sorted(KEYS.glob("*.json"))]


def read_key(sample: str, place: str) -> Key:
    """Read the key of a sample; errors begin with `place`.

    Raises:
        BadInput: no such key, not a key, or one that was changed since it was drawn.
    """
    path = key_path(sample)
    if not path.exists():
        raise BadInput(
            f"{place}: {path}, the key that says whose answer is A, is missing; get it from where "
            "the page was made, for example by `git pull`"
        )
    try:
        return _read(path)
    except BadInput as error:
        raise BadInput(f"{place}: its key {error}") from error


def _read(path: Path) -> Key:
    return validate(Key, read_json(path), str(path))


def key_path(sample: str) -> Path:
    """Give the path of a key."""
    return KEYS / f"{sample}.json"


def _without_sides(key: Key) -> dict[str, Any]:
    return key.model_dump(exclude={"sample": True, "sha256": True, "items": {"__all__": {"a"}}})
