"""The length-controlled win rate: the one expected if both answers had the same length.

Dubois et al. 2024 (arXiv 2404.04475) in a form that needs no data of theirs, with one more term:

    logit P(win) = theta + phi * tanh(d / sd(d)) + psi * sign(d)

with d the student's length minus the reference's. phi is the effect of much longer answers, psi
that of longer ones at all. The length-controlled win rate is P(win) at d = 0.
"""

from typing import NamedTuple

from alpacare.evaluation.items import Array

_PRIOR = 1 / 5**2  # each coefficient ~ N(0, 5^2): finite where length decides every item
_STEPS, _CLOSE = 50, 1e-6
_FEWEST = 15  # items with the longer answer on either side; with fewer the fit says little


class LengthControlled(NamedTuple):
    """The length-controlled win rate, its replicates by draw, and the balance of lengths.

    `balance`: 1 where the student's answer is longer in half of the items, less where it is in few
    or in most; the share of the items that counts for the effective sample size.
    """

    rate: float
    replicates: Array
    balance: float


def length_controlled_win_rate(
    scores: Array, differences: Array, draws: Array
) -> LengthControlled | None:
    """Fit the curve to all items and to each draw, and read it at d = 0.

    `scores` (n,) lie in 0..1, NaN where there are none; `differences` (n,) are in characters;
    `draws` (resamples, n) are counts. The whole fit is resampled, not only its residuals. None if
    the answers of one side are nearly always longer: there is too little data near d = 0.
    """
    import numpy as np

    valid = ~np.isnan(scores)
    scores, differences = scores[valid], differences[valid]
    sides = int((differences >= 0).sum()), int((differences <= 0).sum())
    if min(sides) < _FEWEST:
        return None
    scaled = np.tanh(differences / (differences.std() or 1.0))
    x, at_zero = _design(scaled)
    whole = _fit(x, scores, _balanced_weights(np.ones((1, len(x))), scaled), np.zeros((1, 3)))
    starts = np.repeat(whole, len(draws), axis=0)
    each = _fit(x, scores, _balanced_weights(draws[:, valid], scaled), starts)
    balance = min(1.0, 4 / (1 / sides[0] + 1 / sides[1]) / len(scores))
    return LengthControlled(float(_sigmoid(whole[0] @ at_zero)), _sigmoid(each @ at_zero), balance)


def _design(scaled: Array) -> tuple[Array, Array]:
    """Give the curve's columns, shape (n, 3), and their values at d = 0.

    tanh is centred on the mean of its side. That is the same curve; but where length decides every
    item, the prior then cannot trade phi against theta, and the rate is 0.5.
    """
    import numpy as np

    sign = np.sign(scaled)
    shorter, longer = (
        float(scaled[sign == side].mean()) if (sign == side).any() else 0.0 for side in (-1, 1)
    )
    middle = (shorter + longer) / 2
    centre = np.select([sign > 0, sign < 0], [longer, shorter], middle)
    columns = np.stack([np.ones_like(scaled), scaled - centre, sign], axis=1)
    return columns, np.array([1.0, -middle, 0.0])


def _balanced_weights(draws: Array, scaled: Array) -> Array:
    """Give items with longer and with shorter answers the same total weight.

    Weights by length alone do not change the curve. But where length decides every item, the larger
    side would pull theta towards itself, to half the logit of its share.
    """
    import numpy as np

    weights = draws.copy()
    sides = [scaled > 0, scaled < 0]
    totals = np.stack([draws[:, side].sum(axis=1) for side in sides])
    for side, total in zip(sides, totals, strict=True):
        weights[:, side] *= (totals.sum(axis=0) / 2 / np.maximum(total, 1.0))[:, None]
    return weights


def _fit(x: Array, y: Array, weights: Array, start: Array) -> Array:
    """Fit many weighted logistic curves at once by Newton's method; (resamples, 3) coefficients.

    A step is at most 2 long: where length decides every item, a full one would overshoot.
    """
    import numpy as np

    n, k = x.shape
    squares = (x[:, :, None] * x[:, None, :]).reshape(n, k * k)
    target = (weights * y) @ x
    coefficients = start.copy()
    for _ in range(_STEPS):
        p = _sigmoid(coefficients @ x.T)
        gradient = target - (weights * p) @ x - _PRIOR * coefficients
        hessian = ((weights * p * (1 - p)) @ squares).reshape(-1, k, k) + _PRIOR * np.eye(k)
        step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        step *= np.minimum(1.0, 2.0 / np.maximum(np.abs(step).max(axis=1), 1e-300))[:, None]
        coefficients += step
        if np.abs(step).max() < _CLOSE:
            break
    return coefficients


def _sigmoid(z: Array) -> Array:
    import numpy as np

    return 1 / (1 + np.exp(-np.clip(z, -500, 500)))
