"""A judge's win rate with its errors taken out, as measured on the items that people read too.

Rogan & Gladen 1978 (doi 10.1093/oxfordjournals.aje.a112510): a test with sensitivity S and false
positive rate F finds a share J = F + (S - F) W where the true one is W, so W = (J - F) / (S - F). A
tie is half a win and half a loss, of people as of the judge: S is the mean of the judge's scores
weighted by people's, F that weighted by 1 minus people's. Without ties this is the textbook's, and
with them J = F + (S - F) W still holds exactly over all items, so the estimate is consistent. It
supposes that the items that people read are a fair sample of all.

Intervals are percentiles over resampled items, the read and the others apart: both the judge's win
rate and its errors vary. In simulations they cover 92 to 97 % where 95 are promised, from 30 items
on; with fewer, or a judge that may know nothing, S - F comes near 0, and no figure is given.
"""

from collections.abc import Mapping
from math import isnan
from typing import TYPE_CHECKING, NamedTuple

from alpacare.evaluation.agreement import Estimate
from alpacare.evaluation.bootstrap import Resampling, draw, effective_items, share_interval

if TYPE_CHECKING:
    from alpacare.evaluation.items import Array

FEWEST = 30  # items that people read too
_FEWEST_OF_EACH = 5.0  # of people's wins, and of their losses

Leads = Mapping[str, float]  # by item, as `Items.item_leads`


class Correction(NamedTuple):
    """See `agreement.Corrected`."""

    judged: int
    reviewed: int
    sensitivity: Estimate
    specificity: Estimate
    win_rate: Estimate
    why: str | None


def correct(judge: Leads, people: Leads, how: Resampling) -> Correction:
    """Correct a judge's win rate by what people say of some of its items."""
    import numpy as np

    readable = sorted(id for id, lead in judge.items() if not isnan(lead))
    both = [id for id in readable if id in people]
    rest = np.array([0.5 + judge[id] for id in readable if id not in people])
    scores = np.array([0.5 + judge[id] for id in both])
    truth = np.array([0.5 + people[id] for id in both])
    weights = float(truth.sum()), float((1 - truth).sum())
    if why := _too_few(len(both), *weights):
        nothing = Estimate()
        return Correction(len(readable), len(both), nothing, nothing, nothing, why)
    sample = _weigh(scores, truth, _draw(len(both), how, 0))
    others = _draw(len(rest), how, 1) @ rest
    with np.errstate(invalid="ignore"):  # a resample without a win, or a loss
        hits, alarms = sample.hits / sample.wins, sample.alarms / sample.losses
    rates = (sample.hits + sample.alarms + others) / len(readable)
    tail = (1 - how.confidence) / 2
    blind = not float(np.nanquantile(hits - alarms, tail)) > 0
    return Correction(
        judged=len(readable),
        reviewed=len(both),
        sensitivity=_share(hits, weights[0], how),
        specificity=_share(1 - alarms, weights[1], how),
        win_rate=Estimate() if blind else _solve(rates, hits, alarms, tail),
        why=_BLIND.format(len(both)) if blind else None,
    )


_BLIND = "with {} items read by people, the judge may know no more of their verdicts than chance"


class _Weighed(NamedTuple):
    """Sums over the items that people read; the first over all, the others over resamples."""

    hits: "Array"
    alarms: "Array"
    wins: "Array"
    losses: "Array"


def _weigh(scores: "Array", truth: "Array", draws: "Array") -> _Weighed:
    return _Weighed(
        draws @ (truth * scores), draws @ ((1 - truth) * scores), draws @ truth, draws @ (1 - truth)
    )


def _draw(n: int, how: Resampling, stream: int) -> "Array":
    """Give how often each item counts: once in the first row, then as drawn."""
    import numpy as np

    draws = draw(max(1, n), how.resamples, how.seed + stream)[:, :n]
    return np.vstack([np.ones(n), draws])


def _solve(rates: "Array", hits: "Array", alarms: "Array", tail: float) -> Estimate:
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(hits > alarms, (rates - alarms) / (hits - alarms), np.nan).clip(0, 1)
    low, high = np.nanquantile(found[1:], [tail, 1 - tail])
    return _estimate(float(found[0]), float(low), float(high))


def _share(replicates: "Array", weight: float, how: Resampling) -> Estimate:
    value = float(replicates[0])
    effective = effective_items(value, replicates[1:], round(weight))
    return _estimate(value, *share_interval(value, effective, how.confidence))


def _estimate(value: float, low: float, high: float) -> Estimate:
    return Estimate(value=round(value, 4), ci_low=round(low, 4), ci_high=round(high, 4))


def _too_few(n: int, wins: float, losses: float) -> str | None:
    if n < FEWEST:
        return f"{n} items read by people, and {FEWEST} are wanted"
    if min(wins, losses) < _FEWEST_OF_EACH:
        kind = "wins" if wins < losses else "losses"
        few = min(wins, losses)
        return f"people see {few:g} {kind} in {n} items, and {_FEWEST_OF_EACH:g} are wanted"
    return None
