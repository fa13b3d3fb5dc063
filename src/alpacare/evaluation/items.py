"""Verdicts gathered by test item: both orders, with every sample of each.

Preferences are centred here: 0.5 for a win of the student, 0 for a tie, -0.5 for a loss. Sums of
them change sign exactly when the two sides are swapped. A win rate is 0.5 plus their mean.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, TypeAlias, get_args

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.records.judgment import Judgment, Order, Verdict

if TYPE_CHECKING:
    import numpy as np

Array: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
PREFERENCES: Mapping[Verdict, float] = {"model": 0.5, "tie": 0.0, "reference": -0.5}
ORDERS: tuple[Order, ...] = get_args(Order)

Preferences = Mapping[str, float]  # by test item, the mean of both orders; NaN if unreadable


@dataclass(frozen=True)
class Items:
    """n test items in the order judged.

    `preferences`, shape (n, 2): one for each of ORDERS, the mean over the samples that can be read;
    NaN where none can.
    """

    ids: tuple[str, ...]
    preferences: Array

    def item_preferences(self) -> Array:
        """Give each item's preference, the mean of both orders; NaN if either cannot be read.

        With 0.5 added this is AlpaCare's score of an item: win 1, tie 0.5, loss 0.
        """
        preferences: Array = self.preferences.mean(axis=1)
        return preferences

    def by_id(self) -> dict[str, float]:
        """Give each item's preference by its id."""
        return dict(zip(self.ids, self.item_preferences().tolist(), strict=True))


def read_judgments(path: Path) -> list[Judgment]:
    """Read a judge's verdicts: each item has each sample once in each order.

    Raises:
        BadInput: an unreadable row, a repeated verdict, or a missing order.
    """
    rows = jsonl.read(path, Judgment)
    for (id, order, _), times in Counter((row.id, row.order, row.sample) for row in rows).items():
        if times > 1:
            raise BadInput(f"{path}: task {id} is judged {times} times in the order {order}")
    for (id, _), orders in Counter((row.id, row.sample) for row in rows).items():
        if orders != len(ORDERS):
            raise BadInput(f"{path}: task {id} is judged in one order only")
    samples = {row.sample for row in rows}
    for id, count in Counter(row.id for row in rows).items():
        if count != len(ORDERS) * len(samples):
            raise BadInput(f"{path}: task {id} has fewer samples than others")
    return rows


def gather(judgments: Sequence[Judgment], unreadable: float | None = None) -> Items:
    """Gather verdicts by test item; `unreadable` verdicts get this preference, None for none."""
    import numpy as np

    ids = {id: place for place, id in enumerate(dict.fromkeys(row.id for row in judgments))}
    sums, counts = np.zeros((len(ids), 2)), np.zeros((len(ids), 2))
    for row in judgments:
        preference = PREFERENCES[row.verdict] if row.verdict else unreadable
        if preference is not None:
            place = ids[row.id], ORDERS.index(row.order)
            sums[place] += preference
            counts[place] += 1
    with np.errstate(invalid="ignore"):
        return Items(tuple(ids), sums / counts)


def sample_variance(judgments: Sequence[Judgment]) -> float:
    """Give the variance of one item's preference that is due to the judge's samples.

    The mean square within items and orders, by the number of samples; the two orders are a mean.
    """
    found = defaultdict[tuple[str, Order], list[float]](list)
    for row in judgments:
        if row.verdict:
            found[row.id, row.order].append(PREFERENCES[row.verdict])
    freedom = sum(len(values) - 1 for values in found.values())
    if not freedom:
        return 0.0
    squares = sum((value - fmean(each)) ** 2 for each in found.values() for value in each)
    return squares / freedom * fmean(1 / len(each) for each in found.values()) / 2
