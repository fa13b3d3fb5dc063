"""The exact sign test on items that changed; of two outcomes it is McNemar's test (1947), exact."""

from math import comb, isnan

from alpacare.evaluation.crossed import item_means
from alpacare.evaluation.seed_variance import Runs


def sign_test(then: Runs, now: Runs) -> float:
    """Give the two-sided p of as uneven a split of the items that changed; 1 where none did.

    An item is its mean over runs; those that cannot be read of both do not count.
    """
    before, after = item_means(then), item_means(now)
    changes = [after[id] - before[id] for id in before.keys() & after.keys()]
    changed = [change for change in changes if change and not isnan(change)]
    fewer = min(sum(change > 0 for change in changed), sum(change < 0 for change in changed))
    ways = sum(comb(len(changed), number) for number in range(fewer + 1))
    share: float = ways / 2 ** len(changed)
    return min(1.0, 2 * share)
