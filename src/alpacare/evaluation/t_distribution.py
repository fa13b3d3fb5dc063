"""Quantiles of Student's t distribution: all that would need SciPy."""

from functools import lru_cache
from statistics import NormalDist

_MANY = 1000  # degrees of freedom from which on it is the normal distribution, to three places


@lru_cache(maxsize=1000)
def t_quantile(share: float, freedom: float) -> float:
    """Give the value that |t| does not exceed in this share of cases.

    With t = sqrt(freedom) tan(angle) the density is cos(angle) ** (freedom - 1), between 0 and a
    right angle: summed there, and read off.
    """
    import numpy as np

    if freedom >= _MANY:
        return NormalDist().inv_cdf((1 + share) / 2)
    angles = np.linspace(0, np.pi / 2, 20001)
    density = np.cos(angles) ** (freedom - 1)
    sums = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
    angle = np.interp(share, sums / sums[-1], angles)
    return float(freedom**0.5 * np.tan(angle))
