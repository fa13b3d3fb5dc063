"""A few of many seeds: each type keeps its share, whatever the order of the file."""

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from heapq import nsmallest

from alpacare.records.task import Seed


def take_seeds(seeds: Sequence[Seed], take: int | None, number: int) -> list[Seed]:
    """Draw `take` seeds (None: all), stratified by type; they stay in the order of the file.

    Which ones depends on the seeds' ids and on `number`, not on where they stand.
    """
    if take is None or take >= len(seeds):
        return list(seeds)
    shares = _shares(Counter(seed.type for seed in seeds), take)
    drawn: set[str] = set()
    for kind, share in shares.items():
        ids = (seed.id for seed in seeds if seed.type == kind)
        drawn.update(nsmallest(share, ids, key=lambda id: _lot(id, number)))
    return [seed for seed in seeds if seed.id in drawn]


def _lot(id: str, number: int) -> bytes:
    return blake2b(f"{number}/{id}".encode()).digest()


def _shares(counts: Counter[str], take: int) -> dict[str, int]:
    """Deal `take` out in proportion to the counts, but one to each type where there are enough.

    What rounding leaves over goes to the largest remainders.
    """
    total = counts.total()
    least = int(take >= len(counts))
    shares = {kind: max(least, take * counts[kind] // total) for kind in sorted(counts)}
    while (left := take - sum(shares.values())) != 0:
        step = 1 if left > 0 else -1
        due = {kind: take * counts[kind] / total - shares[kind] for kind in shares}
        may = [kind for kind in shares if step > 0 or shares[kind] > least]
        shares[max(may, key=lambda kind: step * due[kind])] += step
    return shares
