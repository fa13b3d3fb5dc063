"""The test items that people review: stratified, the same ones for the same seed."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

from alpacare.core.errors import BadInput
from alpacare.core.texts import counted
from alpacare.records.task import TestTask


def choose_tasks(tasks: Sequence[TestTask], n: int, seed: int) -> list[str]:
    """Choose n tasks, stratified, and give their ids in the order of review.

    Each of `strata_of` gets its share, rounded by largest remainder. The order mixes the strata, so
    that an unfinished review has items of all.

    Raises:
        BadInput: fewer than n tasks.
    """
    if n > len(tasks):
        raise BadInput(f"{counted(len(tasks), 'item')} with both answers; choose at most that many")
    strata = defaultdict[str, list[str]](list)
    for id, stratum in strata_of(tasks).items():
        strata[stratum].append(id)
    quotas = apportion({name: len(ids) for name, ids in strata.items()}, n)

    def place(id: str) -> str:
        return hashlib.sha256(f"{seed} {id}".encode()).hexdigest()

    drawn = [id for name, ids in strata.items() for id in sorted(ids, key=place)[: quotas[name]]]
    return sorted(drawn, key=place)


def strata_of(tasks: Sequence[TestTask]) -> dict[str, str]:
    """Give each task's stratum: its difficulty if any is known, else its type; unknown is one."""
    by_difficulty = any(task.difficulty for task in tasks)
    return {task.id: str(task.difficulty if by_difficulty else task.type) for task in tasks}


def apportion(sizes: Mapping[str, int], n: int) -> dict[str, int]:
    """Divide n in proportion to `sizes`, by largest remainder, then by size, then by name.

    No quota is above its size if n is at most the sum of sizes.
    """
    total = sum(sizes.values())
    quotas = {name: n * size // total for name, size in sizes.items()}
    remaining = n - sum(quotas.values())
    order = sorted(sizes, key=lambda name: (-(n * sizes[name] % total), -sizes[name], name))
    return {name: quota + (name in order[:remaining]) for name, quota in quotas.items()}
