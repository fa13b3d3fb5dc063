"""The length-controlled win rate: the one expected if both answers had the same length.

Dubois et al. 2024 (arXiv 2404.04475, section 3) fit logit P(win) = theta + phi tanh(d / sd(d)) + a
term of the instruction, with d the model's length minus the reference's, and read it at d = 0. Here
weights take the place of phi, and there is no term of the instruction:

    logit P(win) = theta + psi sign(d),   the length-controlled win rate is P(win) at theta

fitted to items weighted so that longer and shorter answers count the same and are on average just
as far apart, t = tanh(d / sd(d)): w = (1 - t^2) exp(-tau t), and each side is scaled to half of the
total. Of all weights with that property these are the closest to 1 - t^2 (entropy balancing,
Hainmueller 2012, doi 10.1093/pan/mpr025, section 3, of the moments t and sign(d)), by which answers
of nearly the same length count the most.

Why: with a slope fitted to the same verdicts, an item won with a far longer answer can lower the
rate at d = 0. With weights that depend on lengths alone it never does: theta moves with each
verdict by the inverse Hessian, and there the product of (1, 0) with (1, sign(d)) is 2 v >= 0, v
being what the other side weighs. A judge that only looks at which answer is longer gives 0.5. The
price: where phi is above 2, so that length nearly decides, the rate is 1 to 2 points nearer to 0.5
than a curve that is right would have it (simulated).
"""

from dataclasses import dataclass

from alpacare.core.texts import counted
from alpacare.evaluation.items import Array

FEWEST = 30  # items where the model's answer is the longer one, and where it is the shorter one
_PRIOR = 1 / 5**2  # each coefficient ~ N(0, 5^2): finite where length decides every item
_STEPS, _CLOSE = 50, 1e-9
_HALVINGS, _STEEPEST = 60, 32.0


@dataclass(frozen=True)
class LengthControlled:
    """The length-controlled preference (a rate minus 0.5), its replicates by draw, its balance.

    `balance`: the share of the items that counts for the effective sample size: 1 where longer and
    shorter answers are alike, less where those of one side are few or much further apart.
    """

    preference: float
    replicates: Array
    balance: float


def length_controlled_win_rate(
    preferences: Array, differences: Array, draws: Array
) -> LengthControlled | str:
    """Fit the curve to all items and to each draw, and read it at d = 0.

    `preferences` (n,) lie in -0.5..0.5, NaN where there are none; `differences` (n,) are in
    characters; `draws` (resamples, n) are counts. The reason if one side has fewer than FEWEST
    items: equal lengths are of neither side.
    """
    import numpy as np

    valid = ~np.isnan(preferences)
    preferences, differences = preferences[valid], differences[valid]
    sides = np.stack([differences > 0, differences == 0, differences < 0], axis=1)
    longer, _, shorter = sides.sum(axis=0).tolist()
    if min(longer, shorter) < FEWEST:
        return (
            f"the model's answer is longer in {counted(longer, 'item')} and shorter in "
            f"{shorter:,}, and {FEWEST} of each are needed"
        )
    groups = sides * _balanced_weights(differences)[:, None]  # (n, 3)
    figures = np.hstack([groups, groups * preferences[:, None]])
    drawn = draws if valid.all() else draws[:, valid]
    found = _preference_at_zero(np.vstack([figures.sum(axis=0), drawn @ figures]))
    sizes = groups.sum(axis=0) ** 2 / np.maximum((groups**2).sum(axis=0), 1e-300)  # Kish 1965
    one, other = sizes[0] + sizes[1], sizes[2] + sizes[1]
    balance = min(1.0, 4 / (1 / one + 1 / other) / len(differences))
    return LengthControlled(float(found[0]), found[1:], float(balance))


def _balanced_weights(differences: Array) -> Array:
    """Weigh items so that the mean of |t| is the same on both sides; tau by halving."""
    import numpy as np

    t: Array = np.tanh(differences / differences.std())
    weights = np.ones_like(t)
    low, high = -_STEEPEST, _STEEPEST
    for _ in range(_HALVINGS):
        tau = (low + high) / 2
        weights = (1 - t * t) * np.exp(-tau * t)
        one, other = (np.average(np.abs(t[side]), weights=weights[side]) for side in (t > 0, t < 0))
        low, high = (tau, high) if one > other else (low, tau) if one < other else (tau, tau)
    return weights


def _preference_at_zero(figures: Array) -> Array:
    """Fit the curve by Newton's method, and give P(win) - 0.5 at d = 0, shape (resamples,).

    `figures` (resamples, 6): of longer, equal and shorter answers, the items' total weight; then
    their weighted preferences. A step is at most 2 long: where length decides every item, a
    full one would overshoot. Each line changes sign exactly when the two sides are swapped.
    """
    import numpy as np

    weights, sums = figures[:, :3], figures[:, 3:]
    half = (weights[:, 0] + weights[:, 2]) / 2
    scale = np.stack([half, weights[:, 1], half], axis=1) / np.maximum(weights, 1e-300)
    w_l, w_0, w_s = np.where(weights > 0, weights * scale, 0.0).T
    y_l, y_0, y_s = np.where(weights > 0, sums * scale, 0.0).T
    theta, psi = np.zeros_like(half), np.zeros_like(half)
    for _ in range(_STEPS):
        p_l, p_0, p_s = _centred(theta + psi), _centred(theta), _centred(theta - psi)
        v_l, v_0, v_s = (w * (0.25 - p * p) for w, p in ((w_l, p_l), (w_0, p_0), (w_s, p_s)))
        r_l, r_0, r_s = y_l - w_l * p_l, y_0 - w_0 * p_0, y_s - w_s * p_s
        up, across = (r_l + r_s) + r_0 - _PRIOR * theta, (r_l - r_s) - _PRIOR * psi
        a, b, c = (v_l + v_s) + v_0 + _PRIOR, v_l - v_s, (v_l + v_s) + _PRIOR
        steps = np.stack([c * up - b * across, a * across - b * up]) / (a * c - b * b)
        steps *= np.minimum(1.0, 2.0 / np.maximum(np.abs(steps).max(axis=0), 1e-300))
        theta, psi = theta + steps[0], psi + steps[1]
        if np.abs(steps).max() < _CLOSE:
            break
    return _centred(theta)


def _centred(z: Array) -> Array:
    """Give the logistic function minus 0.5."""
    import numpy as np

    half: Array = np.tanh(z / 2) / 2
    return half
