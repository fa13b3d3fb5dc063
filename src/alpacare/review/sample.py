"""Which test items people read: every kind in proportion, the same ones for the same seed."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

from alpacare.core.errors import BadInput
from alpacare.records.task import TestTask


def choose(tasks: Sequence[TestTask], n: int, seed: int) -> list[str]:
    """Choose n tasks, stratified, and give their ids in the order in which they are read.

    Strata are the difficulties where any is known, else the types; each gets its share, rounded by
    largest remainder. The order mixes the strata, so that a review that is broken off has read a
    bit of everything.

    Raises:
        BadInput: fewer than n tasks.
    """
    if n > len(tasks):
        raise BadInput(
            f"there are {len(tasks)} tasks with answers by both; ask for as many at most"
        )
    strata = _stratify(tasks)
    quotas = apportion({name: len(ids) for name, ids in strata.items()}, n)

    def place(id: str) -> str:
        return hashlib.sha256(f"{seed} {id}".encode()).hexdigest()

    drawn = [id for name, ids in strata.items() for id in sorted(ids, key=place)[: quotas[name]]]
    return sorted(drawn, key=place)


def apportion(sizes: Mapping[str, int], n: int) -> dict[str, int]:
    """Share n places out in proportion to `sizes`, by largest remainder; then the larger, the name.

    Nobody gets more than their size as long as n is no more than all of them.
    """
    total = sum(sizes.values())
    quotas = {name: n * size // total for name, size in sizes.items()}
    left = n - sum(quotas.values())
    order = sorted(sizes, key=lambda name: (-(n * sizes[name] % total), -sizes[name], name))
    return {name: quota + (name in order[:left]) for name, quota in quotas.items()}


def _stratify(tasks: Sequence[TestTask]) -> dict[str, list[str]]:
    """Part the ids of tasks by what is known of them; what is not is a stratum too."""
    by_difficulty = any(task.difficulty for task in tasks)
    strata: dict[str, list[str]] = defaultdict(list)
    for task in tasks:
        strata[str(task.difficulty if by_difficulty else task.type)].append(task.id)
    return dict(strata)
