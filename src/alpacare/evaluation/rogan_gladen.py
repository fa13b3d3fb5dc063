"""A judge's win rate with its errors taken out, for people's samples of another mix.

Rogan & Gladen 1978 (doi 10.1093/oxfordjournals.aje.a112510, equation 1): a test with sensitivity S
and false positive rate F finds a share J = F + (S - F) W where the true one is W, so W = (J - F) /
(S - F). A tie is half a win and half a loss, for people and for the judge: S is the mean of the
judge's scores weighted by people's, F that weighted by 1 minus people's. Without ties this is the
usual formula; with them J = F + (S - F) W still holds exactly over all items. It assumes that the
judge errs on the reviewed items as on all, and not, as `correction` does, that people read a fair
sample; for such a sample it is wider than ignoring the judge below 90 % accuracy.

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


class RoganGladen(NamedTuple):
    """See `agreement.Corrected`; no figure without the other ones."""

    sensitivity: Estimate = Estimate()
    specificity: Estimate = Estimate()
    rogan_gladen: Estimate = Estimate()


def take_out_errors(judge: Preferences, people: Preferences, how: Resampling) -> RoganGladen:
    """Take a judge's errors out of its win rate, by people's verdicts on some of its items."""
    import numpy as np

    readable = sorted(id for id, preference in judge.items() if not isnan(preference))
    both = [id for id in readable if id in people]
    rest = np.array([0.5 + judge[id] for id in readable if id not in people])
    scores = np.array([0.5 + judge[id] for id in both])
    truth = np.array([0.5 + people[id] for id in both])
    weights = float(truth.sum()), float((1 - truth).sum())
    if len(both) < FEWEST or min(weights) < _FEWEST_OF_EACH:
        return RoganGladen()
    draws = _draw(len(both), how, 0)
    by_wins, by_losses = draws @ (truth * scores), draws @ ((1 - truth) * scores)
    rates = (by_wins + by_losses + _draw(len(rest), how, 1) @ rest) / len(readable)
    with np.errstate(invalid="ignore"):  # a resample without a win, or a loss
        hits, false_alarms = by_wins / (draws @ truth), by_losses / (draws @ (1 - truth))
    tail = (1 - how.confidence) / 2
    better = float(np.nanquantile(hits - false_alarms, tail)) > 0
    return RoganGladen(
        _share(hits, weights[0], how),
        _share(1 - false_alarms, weights[1], how),
        _solve(rates, hits, false_alarms, tail) if better else Estimate(),
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
