"""What a point of width costs: test items, samples of the judge, references, or training seeds.

The squares of an interval's parts add up (`crossed.Parts`), and each falls as 1 / n of what it
comes from (Searle, Casella & McCulloch 1992, Variance Components, chapter 4): with a share s of the
square that n brings, a narrower one takes n s / (s - what is to go).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isnan

from alpacare.evaluation.crossed import Parts
from alpacare.evaluation.items import Preferences

POINT = 0.01


@dataclass(frozen=True)
class Counts:
    """What was paid for: of a model, on a test set, before a judge."""

    items: int
    samples: int
    references: int
    seeds: int  # 1 for a model that this study does not train
    dollars: float

    def calls(self) -> int:
        """Give how often the judge was asked: in both orders."""
        return 2 * self.items * self.samples * self.references * self.seeds


@dataclass(frozen=True)
class Purchase:
    """How many of a kind, instead of `now`, make an interval a point narrower; None: none does.

    `calls`, `dollars`: what more of the judge that takes, at the price paid so far.
    """

    what: str
    now: int
    needed: int | None
    calls: int
    dollars: float


def price_a_point(parts: Parts, counts: Counts, references: float) -> list[Purchase]:
    """Give what makes an interval a point narrower, by each kind alone.

    `references`: the share of the variance between items that `reference_share` gives. What a judge
    says by chance is known from two samples on; seeds help a model that is trained.
    """
    items, judge = parts.items**2 + parts.judge**2, parts.judge**2
    whole = parts.whole()
    excess = whole**2 - max(0.0, whole - POINT / 2) ** 2
    shares = {
        "test items": (counts.items, items),
        "samples": (counts.samples, judge),
        "references": (counts.references, max(judge, references * items)),
        "training seeds": (counts.seeds, parts.training**2),
    }
    return [_purchase(what, now, share, excess, counts) for what, (now, share) in shares.items()]


def _purchase(what: str, now: int, share: float, excess: float, counts: Counts) -> Purchase:
    if not 0 < excess < share:
        return Purchase(what, now, None, 0, 0.0)
    needed = ceil(now * share / (share - excess) - 1e-9)
    more = needed / now - 1
    return Purchase(what, now, needed, round(more * counts.calls()), more * counts.dollars)


def reference_share(references: Sequence[Preferences]) -> float:
    """Give the share of the variance of items' means over references that more of them would lower.

    The residual mean square of items by references (a two-way layout with one value a cell), by the
    number of references, over the variance of items' means.
    """
    import numpy as np

    ids = [
        id
        for id in (references[0] if references else {})
        if all(id in each and not isnan(each[id]) for each in references)
    ]
    if len(references) < 2 or len(ids) < 2:
        return 0.0
    table = np.array([[each[id] for id in ids] for each in references])
    between = float(table.mean(axis=0).var(ddof=1))
    rest = table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean()
    freedom = (len(references) - 1) * (len(ids) - 1)
    residual = float((rest**2).sum()) / freedom / len(references)
    return min(1.0, residual / between) if between > 1e-12 else 0.0
