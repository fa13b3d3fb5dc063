"""Kappa's interval: as wide as the textbook says, and it holds what it says or is not given."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from alpacare.evaluation.kappa import FEWEST, FEWEST_UNUSUAL, estimate_kappa, kappa_of

Table = np.ndarray[Any, np.dtype[np.float64]]
COHEN = np.array([[88.0, 14, 18], [10, 40, 10], [2, 6, 12]])


def items_of(table: Table) -> Table:
    """One comparison an item."""
    cells = [place for place, n in enumerate(table.ravel()) for _ in range(int(n))]
    return np.eye(table.size)[cells].reshape(-1, *table.shape)


def test_the_interval_is_as_wide_as_the_textbook_says() -> None:
    """Fleiss, Cohen & Everitt 1969, the large-sample variance of kappa, for Cohen's cases."""
    p = COHEN / 200
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    equal, chance = np.trace(p), rows @ columns
    bar = rows[None, :] + columns[:, None]  # p_.i + p_j. of cell (i, j)
    diagonal = np.diag(p) * ((1 - chance) - (rows + columns) * (1 - equal)) ** 2
    off = (1 - equal) ** 2 * (p * bar.T**2 * (1 - np.eye(3))).sum()
    variance = diagonal.sum() + off - (equal * chance - 2 * chance + equal) ** 2
    error = math.sqrt(variance / 200) / (1 - chance) ** 2
    found = estimate_kappa(items_of(COHEN), 0.95)
    assert found.low is not None
    assert found.high is not None
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.03)
    again = estimate_kappa(items_of(COHEN) * 3, 0.95)  # against three references, all the same
    assert again == pytest.approx(found)


def joint(first: Sequence[float], second: Sequence[float], kappa: float) -> Table:
    """Two raters with these shares of verdicts and this kappa."""
    one, other = np.array(first), np.array(second)
    equal = np.minimum(one, other)
    rest = np.outer(one - equal, other - equal) / max(1e-12, float((one - equal).sum()))
    most, chance = np.diag(equal) + rest, np.outer(one, other)
    share = kappa / (kappa_of(most) or 1.0)
    mixed: Table = (1 - share) * chance + share * most
    assert kappa_of(mixed) == pytest.approx(kappa)
    return mixed


EVEN, UNEVEN, ONE_SIDED = [0.45, 0.45, 0.1], [0.88, 0.07, 0.05], [0.95, 0.05, 0.0]


@pytest.mark.parametrize(
    ("first", "second", "kappa", "items", "shown"),
    [
        (EVEN, EVEN, 0.6, 50, 0.99),
        (EVEN, EVEN, 0.9, 216, 0.99),
        (UNEVEN, UNEVEN, 0.05, 216, 0.9),
        (UNEVEN, UNEVEN, 0.6, 150, 0.5),
        (UNEVEN, UNEVEN, 0.9, 1000, 0.99),
        (ONE_SIDED, ONE_SIDED, 0.05, 1000, 0.99),
        (ONE_SIDED, ONE_SIDED, 0.6, 1000, 0.99),
        (ONE_SIDED, ONE_SIDED, 0.3, 100, 0.0),
        (UNEVEN, EVEN, 0.05, 216, 0.9),
        (EVEN, UNEVEN, 0.15, 1000, 0.99),
    ],
)
def test_it_covers_also_with_uneven_raters(
    first: Sequence[float], second: Sequence[float], kappa: float, items: int, shown: float
) -> None:
    """95 % +- 2 of those that are shown, and 1,000 trials: 1.4 points of luck upwards."""
    rng, chances = np.random.default_rng(0), joint(first, second, kappa).ravel()
    cells = np.eye(9).reshape(9, 3, 3)
    found = [estimate_kappa(cells[rng.choice(9, p=chances, size=items)], 0.95) for _ in range(1000)]
    given = [(each.low, each.high) for each in found if each.low is not None]
    assert len(given) >= 1000 * shown
    if shown:
        hits = sum(low <= kappa <= (high or 1) for low, high in given)
        assert 0.93 <= hits / len(given) <= 0.98
    else:
        assert len(given) < 20


def test_it_covers_with_several_references_of_an_item() -> None:
    """Six in ten verdicts repeat those on the first reference."""
    rng, chances = np.random.default_rng(1), joint(EVEN, EVEN, 0.5)
    cells, hits = np.eye(9).reshape(9, 3, 3), 0
    for _ in range(1000):
        drawn = rng.choice(9, p=chances.ravel(), size=(216, 3))
        drawn = np.where(rng.random(drawn.shape) < 0.6, drawn[:, :1], drawn)
        found = estimate_kappa(cells[drawn].sum(axis=1), 0.95)
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 0.5 <= found.high
    assert 0.93 <= hits / 1000 <= 0.97


def test_full_agreement_is_not_certain() -> None:
    """Of 60 equal verdicts, 60 / (60 + 1.96^2) = 0.940 may be; by chance 1 / 3 are."""
    found = estimate_kappa(items_of(np.eye(3) * 20), 0.95)
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx((0.940 - 1 / 3) / (2 / 3), abs=0.001)


@pytest.mark.parametrize(
    ("table", "value", "why"),
    [
        (np.eye(3) * 13, 1.0, f"39 test items, and {FEWEST} are needed"),
        (np.diag([180.0, 14, 0]), 1.0, f"on 14 items: {FEWEST_UNUSUAL} are needed"),
        (np.array([[150.0, 0, 0], [50, 0, 0], [0, 0, 0]]), 0.0, "on 0 items"),
        (np.diag([200.0, 0, 0]), None, "both always say the same"),
    ],
)
def test_why_there_is_no_interval(table: Table, value: float | None, why: str) -> None:
    found = estimate_kappa(items_of(table), 0.95)
    assert (found.value, found.low) == (value, None)
    assert why in (found.why or "")
