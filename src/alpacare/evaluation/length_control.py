"""Win rate at equal length: what would be left if judges did not simply like long answers.

Dubois et al. 2024 (arXiv 2404.04475) in a form that needs no data of theirs, with one term more:

    logit P(win) = theta + phi * tanh(d / sd(d)) + psi * sign(d)

with d the student's length less the reference's. phi is a liking for much longer answers, psi one
for merely longer ones. The rate at equal length is P(win) at d = 0.
"""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from alpacare.evaluation.items import Array

_PRIOR = 1 / 5**2  # each coefficient ~ N(0, 5^2): finite where length decides every item
_STEPS, _CLOSE = 50, 1e-6
_FEWEST = 15  # items on either side of equal length: with fewer the curve is a guess there


class EqualLength(NamedTuple):
    """The win rate at equal length, its replicates by draw, and what its items are worth.

    `worth`: 1 where both sides have as many items, less where one side has few.
    """

    rate: float
    replicates: "Array"
    worth: float


def win_rates_at_equal_length(
    scores: "Array", differences: "Array", draws: "Array"
) -> EqualLength | None:
    """Fit the curve to all items and to each draw, and read it at d = 0.

    `scores` (n,) lie in 0..1, NaN where there are none; `differences` (n,) are in characters;
    `draws` (resamples, n) are counts. The whole fit is resampled, not only its residuals. None:
    the answers of one side are nearly always longer, so that little was seen around equal length.
    """
    import numpy as np

    valid = ~np.isnan(scores)
    scores, differences = scores[valid], differences[valid]
    sides = int((differences >= 0).sum()), int((differences <= 0).sum())
    if min(sides) < _FEWEST:
        return None
    liking = np.tanh(differences / (differences.std() or 1.0))
    x, at_zero = _design(liking)
    whole = _fit(x, scores, _balance(np.ones((1, len(x))), liking), np.zeros((1, 3)))
    starts = np.repeat(whole, len(draws), axis=0)
    each = _fit(x, scores, _balance(draws[:, valid], liking), starts)
    worth = min(1.0, 4 / (1 / sides[0] + 1 / sides[1]) / len(scores))
    return EqualLength(float(_sigmoid(whole[0] @ at_zero)), _sigmoid(each @ at_zero), worth)


def _design(liking: "Array") -> tuple["Array", "Array"]:
    """Give the curve's columns, shape (n, 3), and their values at equal length.

    tanh is taken from the mean of its side. That is the same curve; but where length decides every
    item, the prior then cannot trade phi against theta, and the rate comes out at 0.5.
    """
    import numpy as np

    sign = np.sign(liking)
    shorter, longer = (
        float(liking[sign == side].mean()) if (sign == side).any() else 0.0 for side in (-1, 1)
    )
    middle = (shorter + longer) / 2
    centre = np.select([sign > 0, sign < 0], [longer, shorter], middle)
    columns = np.stack([np.ones_like(liking), liking - centre, sign], axis=1)
    return columns, np.array([1.0, -middle, 0.0])


def _balance(draws: "Array", liking: "Array") -> "Array":
    """Give both sides of equal length the same weight.

    Weights by length alone leave the curve where it is. Where length decides every item, though,
    the larger side would pull theta towards itself, to half the logit of its share.
    """
    import numpy as np

    weights = draws.copy()
    sides = [liking > 0, liking < 0]
    totals = np.stack([draws[:, side].sum(axis=1) for side in sides])
    for side, total in zip(sides, totals, strict=True):
        weights[:, side] *= (totals.sum(axis=0) / 2 / np.maximum(total, 1.0))[:, None]
    return weights


def _fit(x: "Array", y: "Array", weights: "Array", start: "Array") -> "Array":
    """Fit many weighted logistic curves at once by Newton's method; (resamples, 3) coefficients.

    A step is at most 2 long: where length decides all, a full one would overshoot.
    """
    import numpy as np

    n, k = x.shape
    squares = (x[:, :, None] * x[:, None, :]).reshape(n, k * k)
    wanted = (weights * y) @ x
    found = start.copy()
    for _ in range(_STEPS):
        p = _sigmoid(found @ x.T)
        slope = wanted - (weights * p) @ x - _PRIOR * found
        curve = ((weights * p * (1 - p)) @ squares).reshape(-1, k, k) + _PRIOR * np.eye(k)
        step = np.linalg.solve(curve, slope[:, :, None])[:, :, 0]
        step *= np.minimum(1.0, 2.0 / np.maximum(np.abs(step).max(axis=1), 1e-300))[:, None]
        found += step
        if np.abs(step).max() < _CLOSE:
            break
    return found


def _sigmoid(z: "Array") -> "Array":
    import numpy as np

    return 1 / (1 + np.exp(-np.clip(z, -500, 500)))
