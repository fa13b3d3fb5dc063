"""The test items that people review: stratified, the same ones for the same seed."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

from alpacare.core.errors import BadInput
from alpacare.records.task import TestTask


def choose_tasks(tasks: Sequence[TestTask], n: int, seed: int) -> list[str]:
    """Choose n tasks, stratified, and give their ids in the order of review.

    Strata are the difficulties if any is known, else the types; unknown is a stratum too. Each gets
    its share, rounded by largest remainder. The order mixes the strata, so that an unfinished
    review has items of all.

    Raises:
        BadInput: fewer than n tasks.
    """
    if n > len(tasks):
        raise BadInput(f"there are {len(tasks)} tasks with both answers; choose at most that many")
    by_difficulty = any(task.difficulty for task in tasks)
    strata = defaultdict[str, list[str]](list)
    for task in tasks:
        strata[str(task.difficulty if by_difficulty else task.type)].append(task.id)
    quotas = apportion({name: len(ids) for name, ids in strata.items()}, n)

    def place(id: str) -> str:
        return hashlib.sha256(f"{seed} {id}".encode()).hexdigest()

    drawn = [id for name, ids in strata.items() for id in sorted(ids, key=place)[: quotas[name]]]
    return sorted(drawn, key=place)


def apportion(sizes: Mapping[str, int], n: int) -> dict[str, int]:
    """Divide n in proportion to `sizes`, by largest remainder, then by size, then by name.

    No quota is above its size if n is at most the sum of sizes.
    """
    total = sum(sizes.values())
    quotas = {name: n * size // total for name, size in sizes.items()}
    remaining = n - sum(quotas.values())
    order = sorted(sizes, key=lambda name: (-(n * sizes[name] % total), -sizes[name], name))
    return {name: quota + (name in order[:remaining]) for name, quota in quotas.items()}
