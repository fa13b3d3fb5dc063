"""A judge's win rate corrected for its errors, as measured on the items that people reviewed.

Rogan & Gladen 1978 (doi 10.1093/oxfordjournals.aje.a112510): a test with sensitivity S and false
positive rate F finds a share J = F + (S - F) W where the true one is W, so W = (J - F) / (S - F). A
tie is half a win and half a loss, for people and for the judge: S is the mean of the judge's scores
weighted by people's, F that weighted by 1 minus people's. Without ties this is the usual formula;
with them J = F + (S - F) W still holds exactly over all items, so the estimate is consistent. It
assumes that the reviewed items are a fair sample of all.

Intervals are percentiles over resampled items, reviewed and other ones separately: both the judge's
win rate and its errors vary. In simulations they cover 92 to 97 % instead of 95 %, from 30 items
on; with fewer, or a judge that may be no better than chance, S - F is near 0, and no figure is
given.
"""

from math import isnan
from typing import NamedTuple

from alpacare.evaluation.agreement import Estimate, estimate_share
from alpacare.evaluation.bootstrap import Resampling, draw, effective_sample_size
from alpacare.evaluation.items import Array, Preferences

FEWEST = 30  # reviewed items
_FEWEST_OF_EACH = 5.0  # wins by people's verdicts, and losses


class Correction(NamedTuple):
    """See `agreement.Corrected`."""

    judged: int
    reviewed: int
    sensitivity: Estimate
    specificity: Estimate
    win_rate: Estimate
    why: str | None


def correct_win_rate(judge: Preferences, people: Preferences, how: Resampling) -> Correction:
    """Correct a judge's win rate by people's verdicts on some of its items."""
    import numpy as np

    readable = sorted(id for id, preference in judge.items() if not isnan(preference))
    both = [id for id in readable if id in people]
    rest = np.array([0.5 + judge[id] for id in readable if id not in people])
    scores = np.array([0.5 + judge[id] for id in both])
    truth = np.array([0.5 + people[id] for id in both])
    weights = float(truth.sum()), float((1 - truth).sum())
    if why := _too_few(len(both), *weights):
        nothing = Estimate()
        return Correction(len(readable), len(both), nothing, nothing, nothing, why)
    draws = _draw(len(both), how, 0)
    by_wins, by_losses = draws @ (truth * scores), draws @ ((1 - truth) * scores)
    rates = (by_wins + by_losses + _draw(len(rest), how, 1) @ rest) / len(readable)
    with np.errstate(invalid="ignore"):  # a resample without a win, or a loss
        hits, false_alarms = by_wins / (draws @ truth), by_losses / (draws @ (1 - truth))
    tail = (1 - how.confidence) / 2
    no_better = f"with {len(both)} reviewed items, the judge may be no better than chance"
    by_chance = not float(np.nanquantile(hits - false_alarms, tail)) > 0
    return Correction(
        judged=len(readable),
        reviewed=len(both),
        sensitivity=_share(hits, weights[0], how),
        specificity=_share(1 - false_alarms, weights[1], how),
        win_rate=Estimate() if by_chance else _solve(rates, hits, false_alarms, tail),
        why=no_better if by_chance else None,
    )


def _draw(n: int, how: Resampling, stream: int) -> Array:
    """Give how often each item counts: once in the first row, then as drawn."""
    import numpy as np

    return np.vstack([np.ones(n), draw(n, how.resamples, how.seed + stream)])


def _solve(rates: Array, hits: Array, false_alarms: Array, tail: float) -> Estimate:
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        solved = (rates - false_alarms) / (hits - false_alarms)
    found = np.where(hits > false_alarms, solved, np.nan).clip(0, 1)
    low, high = np.nanquantile(found[1:], [tail, 1 - tail])
    return Estimate(value=float(found[0]), ci_low=float(low), ci_high=float(high))


def _share(replicates: Array, weight: float, how: Resampling) -> Estimate:
    value = float(replicates[0])
    size = effective_sample_size(value, replicates[1:], round(weight))
    return estimate_share(value, size, how.confidence)


def _too_few(n: int, wins: float, losses: float) -> str | None:
    if n < FEWEST:
        return f"{n} reviewed items, and {FEWEST} are needed"
    few, kind = min((wins, "wins"), (losses, "losses"))
    if few < _FEWEST_OF_EACH:
        return f"people see {few:g} {kind} in {n} items, and {_FEWEST_OF_EACH:g} are needed"
    return None
