"""Few-shot sampling of seed tasks: every seed is shown once before any is shown twice."""

import hashlib
from collections.abc import Sequence
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.core.texts import counted
from alpacare.records.task import Seed


class FewShotSampler:
    """Samples seeds without replacement, shuffled again when all were shown; reproducible.

    The shuffle depends on positions only, so editing one seed changes only the samples it is in.
    """

    def __init__(self, seeds: Sequence[Seed], seed: int) -> None:
        self._seeds = seeds
        self._seed = seed
        self._left: list[int] = []
        self._shuffles = 0

    def check_size(self, size: int) -> None:
        """Check that there are enough seeds for a sample.

        Raises:
            BadInput: there are not.
        """
        if len(self._seeds) < size:
            here = counted(len(self._seeds), "seed")
            raise BadInput(f"only {here}, but instructions.seeds_per_request is {size}")

    def sample(self, size: int) -> list[Seed]:
        """Give the next sample; no seed is in it twice."""
        if len(self._left) < size:
            fresh = shuffled(len(self._seeds), self._seed, self._shuffles)
            # seeds that are left come last in the new order, so that no sample holds a seed twice
            self._left += sorted(fresh, key=self._left.__contains__)
            self._shuffles += 1
        positions, self._left = self._left[:size], self._left[size:]
        return [self._seeds[position] for position in positions]


def shuffled(size: int, *names: int) -> list[int]:
    """Order positions 0..size-1 by SHA-256 of `names`, alike on every Python version."""
    head = "/".join(map(str, names))
    digests = [hashlib.sha256(f"{head}/{position}".encode()).digest() for position in range(size)]
    return sorted(range(size), key=digests.__getitem__)


def sample_from_pool(pool: Sequence[Any], size: int, *names: int) -> list[Any]:
    """Sample from a much larger pool by SHA-256 of `names`, without replacement."""
    head = "/".join(map(str, names))
    positions: dict[int, None] = {}
    turn = 0
    while len(positions) < size:
        digest = hashlib.sha256(f"{head}/{turn}".encode()).digest()
        positions[int.from_bytes(digest[:8], "big") % len(pool)] = None
        turn += 1
    return [pool[position] for position in positions]
