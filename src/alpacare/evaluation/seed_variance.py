"""The variance between trainings of one student that differ only in their seed.

Two seeds say little: with one degree of freedom t is 12.7. So it is pooled over all students
of a study, as if it were the same for each: the mean square within groups of an analysis of
variance, with sum(seeds - 1) degrees of freedom (Searle, Casella & McCulloch 1992, Variance
Components). It includes what the answers of a training to these items differ by chance.

A student whose items all score alike, such as one that loses everything, cannot vary: it is left
out, or the others would seem surer than they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isnan, nan

from alpacare.evaluation.items import Array, Preferences

Runs = Sequence[Preferences]  # of one model: one for each training seed, or one alone


@dataclass(frozen=True)
class SeedVariance:
    """The variance of the win rate of one training on given items, pooled over `students`.

    `by_chance`: what of it is no luck of the training, but of single answers, which more items
    average out. `freedom`: degrees of freedom; 0 where nobody knows, as each student has one seed.
    """

    variance: float
    by_chance: float
    freedom: int
    students: int

    @property
    def unknown(self) -> bool:
        """Whether there are trainings, and no two of the same student."""
        return self.students > 0 and self.freedom == 0

    def of(self, runs: Runs) -> "SeedVariance":
        """Give that of a model: none if all its items score alike."""
        return self if _varies(runs) else replace(self, variance=0.0, by_chance=0.0)


Seeds = tuple[SeedVariance, SeedVariance]  # of both sides of a comparison
NOT_TRAINED = SeedVariance(0.0, 0.0, 0, 0)  # of a model that this study does not train


def pool_seeds(students: Sequence[Runs]) -> SeedVariance:
    """Pool the variance between training seeds over students, each with its runs."""
    judged = [runs for runs in students if any(map(_readable, runs))]
    tables = [_table(runs) for runs in judged if _varies(runs)] or [_table(runs) for runs in judged]
    freedom = sum(len(table) - 1 for table in tables)
    if not freedom:
        return SeedVariance(0.0, 0.0, 0, len(tables))
    found = [(len(table) - 1, *_mean_squares(table)) for table in tables if len(table) > 1]
    between, by_chance = (
        sum(each[0] * each[place] for each in found) / freedom for place in (1, 2)
    )
    return SeedVariance(between, by_chance, freedom, len(found))


def own_seeds(runs: Runs) -> SeedVariance:
    """Give the variance between seeds that these runs alone show."""
    return pool_seeds([runs]) if len(runs) > 1 else NOT_TRAINED


def _readable(run: Preferences) -> list[float]:
    return [value for value in run.values() if not isnan(value)]


def _varies(runs: Runs) -> bool:
    values = [value for run in runs for value in _readable(run)]
    return bool(values) and max(values) - min(values) > 1e-12


def _table(runs: Runs) -> Array:
    """Give runs as shape (seeds, items), without seeds and items that cannot be read."""
    import numpy as np

    ids = list(dict.fromkeys(id for run in runs for id in run))
    table = np.array([[run.get(id, nan) for id in ids] for run in runs]).reshape(len(runs), -1)
    read = ~np.isnan(table)
    kept: Array = table[read.any(axis=1)][:, read.any(axis=0)]
    return kept


def _mean_squares(table: Array) -> tuple[float, float]:
    """Give the variance between seeds, and what of it is due to single answers.

    Two-way layout with one value a cell: seed means by items, and the residual.
    """
    import numpy as np

    rest = table - np.nanmean(table, axis=0)
    effects = np.nanmean(rest, axis=1)
    count = int((~np.isnan(table)).sum())
    freedom = count - sum(table.shape) + 1
    residual = float(np.nansum((rest - effects[:, None]) ** 2)) / freedom if freedom > 0 else 0.0
    return float(effects.var(ddof=1)), residual * len(table) / count


def seed_changes(then: Runs, now: Runs) -> list[dict[str, float]]:
    """Give what changed in each training run, of one student with the same seeds at two commits."""
    return [
        {id: value - before.get(id, nan) for id, value in after.items()}
        for before, after in zip(then, now, strict=True)
    ]
