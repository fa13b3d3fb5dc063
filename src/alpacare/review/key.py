"""The key of a sample: which side was whose. It stays with the team; reviewers get the page alone.

data/reviews/keys/SAMPLE.json, kept in Git: {"sample": "5c1e...", "test": "demo", "reference":
"terse", "seed": 0, "items": [{"id": "77d0...", "a": "model", "generation": "5f70...",
"reference_answer": "81ab..."}, ...]}

The sides are drawn at random and stand nowhere else. Were they worked out from the texts, anybody
with this program and the page could do it too. The key is all that is needed to tell later who won,
also when the page is gone and the student answers otherwise.
"""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import StringConstraints

from alpacare.core.errors import BadInput
from alpacare.core.files import read_json, write_json
from alpacare.core.jsonl import Row, validate
from alpacare.records.generation import Generation
from alpacare.records.judgment import Verdict
from alpacare.records.review import Review, Sha256, answer_hash

KEYS = Path("data/reviews/keys")

SampleId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]  # becomes a file's name
Owner = Literal["model", "reference"]
Choice = Literal["a", "b", "tie"]
Pairs = Sequence[tuple[Generation, Generation]]  # the student's answer, the reference's


class Opinion(NamedTuple):
    """What a reviewer said of one item in one regard, not knowing who A was."""

    reviewer: str
    criterion: str
    choice: Choice
    comment: str


class KeyItem(Row):
    """Whose answer is shown as A, and the `answer_hash` of both."""

    id: str
    a: Owner
    generation: Sha256
    reference_answer: Sha256

    def verdict(self, choice: Choice) -> Verdict:
        """Say who won when this side did; two answers that are the same cannot beat each other."""
        if choice == "tie" or self.generation == self.reference_answer:
            return "tie"
        other: Owner = "reference" if self.a == "model" else "model"
        return self.a if choice == "a" else other

    def hashes(self) -> tuple[str, str]:
        """Give the hashes of A and of B."""
        both = (self.generation, self.reference_answer)
        return both if self.a == "model" else both[::-1]


class Key(Row):
    """One sample: what was compared, and its items in the order shown."""

    sample: SampleId
    test: str
    reference: str
    seed: int
    items: list[KeyItem]

    def by_id(self) -> dict[str, KeyItem]:
        """Give the items under their ids."""
        return {item.id: item for item in self.items}

    def unblind(self, item: KeyItem, opinion: Opinion, place: str) -> Review:
        """Say of an opinion whom it prefers; `place` opens the error on a name that is none."""
        review = {
            "id": item.id,
            "test": self.test,
            "reference": self.reference,
            "reviewer": opinion.reviewer,
            "criterion": opinion.criterion,
            "verdict": item.verdict(opinion.choice),
            "comment": opinion.comment,
            "generation": item.generation,
            "reference_answer": item.reference_answer,
        }
        return validate(Review, review, place)


def make_key(test: str, reference: str, seed: int, pairs: Pairs) -> Key:
    """Take up the key of this very sample if there is one, else draw the sides and write it.

    So the same command makes the same page again, and what is saved in a browser still fits.
    """
    drawn = Key(
        sample=secrets.token_hex(8),
        test=test,
        reference=reference,
        seed=seed,
        items=_draw_sides(pairs),
    )
    for path in sorted(KEYS.glob("*.json")):
        known = _read(path)
        if _without_sides(known) == _without_sides(drawn):
            return known
    write_json(path_of(drawn.sample), drawn.model_dump())
    return drawn


def read_key(sample: str, place: str) -> Key:
    """Read the key of a sample; `place` opens the error.

    Raises:
        BadInput: no such key, or not a key.
    """
    path = path_of(sample)
    if not path.exists():
        raise BadInput(
            f"{place}: {path}, which says whose answer was A, is not there; take it from where the "
            "page was made, say by `git pull`"
        )
    return _read(path)


def _read(path: Path) -> Key:
    return validate(Key, read_json(path), str(path))


def path_of(sample: str) -> Path:
    """Name the file of a key."""
    return KEYS / f"{sample}.json"


def _draw_sides(pairs: Pairs) -> list[KeyItem]:
    """Show the student as A in half of the items: who prefers A then prefers nobody."""
    sides: list[Owner] = ["model", "reference"] * ((len(pairs) + 1) // 2)
    secrets.SystemRandom().shuffle(sides)  # of an odd number, one is left over
    return [
        KeyItem(
            id=ours.id,
            a=side,
            generation=answer_hash(ours.output),
            reference_answer=answer_hash(theirs.output),
        )
        for (ours, theirs), side in zip(pairs, sides, strict=False)
    ]


def _without_sides(key: Key) -> object:
    items = [(item.id, item.generation, item.reference_answer) for item in key.items]
    return key.test, key.reference, key.seed, items
