"""Dealing seeds like cards: every seed is shown once before any is shown twice."""

import hashlib
from collections.abc import Sequence
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.records.task import Seed


class Deck:
    """Deals hands of seeds, one after the other, the same every time.

    The shuffle depends on positions only, so editing one seed changes only the hands it is in.
    """

    def __init__(self, seeds: Sequence[Seed], seed: int) -> None:
        self._seeds = seeds
        self._seed = seed
        self._left: list[int] = []
        self._decks = 0

    def check(self, size: int) -> None:
        """See that there are enough seeds for a hand.

        Raises:
            BadInput: there are not.
        """
        if len(self._seeds) < size:
            raise BadInput(
                f"there are {len(self._seeds)} seeds, but instructions.seeds_per_request is {size}"
            )

    def deal(self, size: int) -> list[Seed]:
        """Deal the next hand; no seed is in it twice."""
        if len(self._left) < size:
            fresh = shuffled(len(self._seeds), self._seed, self._decks)
            # what is left over comes last in the new deck, so that no hand holds a seed twice
            self._left += sorted(fresh, key=self._left.__contains__)
            self._decks += 1
        hand, self._left = self._left[:size], self._left[size:]
        return [self._seeds[position] for position in hand]


def shuffled(size: int, *names: int) -> list[int]:
    """Positions 0..size-1 in an order set by SHA-256 of `names`, alike on every Python version."""
    head = "/".join(map(str, names))
    digests = [hashlib.sha256(f"{head}/{position}".encode()).digest() for position in range(size)]
    return sorted(range(size), key=digests.__getitem__)


def drawn(pool: Sequence[Any], size: int, *names: int) -> list[Any]:
    """Draw from a pool by SHA-256 of `names`, nothing twice; for a pool much larger than a hand."""
    head = "/".join(map(str, names))
    places: dict[int, None] = {}
    turn = 0
    while len(places) < size:
        digest = hashlib.sha256(f"{head}/{turn}".encode()).digest()
        places[int.from_bytes(digest[:8], "big") % len(pool)] = None
        turn += 1
    return [pool[place] for place in places]
