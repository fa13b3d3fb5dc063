"""Verdicts gathered by test item: both orders, and every sample of each, belong together."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.records.judgment import Judgment, Order, Verdict

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[np.float64]]

# Points above an even chance: sums of them change sign, exactly, when the sides are swapped.
LEADS: Mapping[Verdict, float] = {"model": 0.5, "tie": 0.0, "reference": -0.5}
ORDERS: tuple[Order, ...] = get_args(Order)


@dataclass(frozen=True)
class Items:
    """n test items in the order judged.

    `leads`, shape (n, 2): by how much the student leads in each of ORDERS, from -0.5 (lost) to 0.5
    (won), the mean over the samples that can be read; NaN where none can.
    """

    ids: tuple[str, ...]
    leads: "Array"

    def item_leads(self) -> "Array":
        """Give each item's lead, the mean of both orders; NaN if either cannot be read.

        With 0.5 added this is AlpaCare's score of an item: win 1, tie 0.5, loss 0.
        """
        leads: Array = self.leads.mean(axis=1)
        return leads

    def by_id(self) -> dict[str, float]:
        """Give each item's lead under its id."""
        return dict(zip(self.ids, self.item_leads().tolist(), strict=True))


def read_judgments(path: Path) -> list[Judgment]:
    """Read a judge's verdicts: each item has each sample once in each order.

    Raises:
        BadInput: an unreadable row, a verdict that stands twice, an order that is missing.
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


def gather(judgments: Sequence[Judgment]) -> Items:
    """Gather verdicts by test item."""
    import numpy as np

    ids = {id: place for place, id in enumerate(dict.fromkeys(row.id for row in judgments))}
    sums, counts = np.zeros((len(ids), 2)), np.zeros((len(ids), 2))
    for row in judgments:
        if row.verdict is not None:
            place = ids[row.id], ORDERS.index(row.order)
            sums[place] += LEADS[row.verdict]
            counts[place] += 1
    with np.errstate(invalid="ignore"):
        return Items(tuple(ids), sums / counts)
