"""Formats of figures on the page: the unit is in the column head, the interval after the figure."""

from collections.abc import Mapping, Sequence
from typing import Any

from alpacare.evaluation.agreement import Estimate
from alpacare.evaluation.score import Rate, Score
from alpacare.evaluation.score_table import consistency_rate, overall_rate, percent, share_rate

NONE = "\N{EN DASH}"


def format_rate(
    rate: Rate | Estimate | None, times: float = 100, places: int = 1
) -> tuple[str, str]:
    """Give a figure and its interval as text: ("31.4", "21.7 to 43.1")."""
    if rate is None:
        return NONE, ""
    bounds = rate.win_rate if isinstance(rate, Rate) else rate.value, rate.ci_low, rate.ci_high
    value, low, high = ("" if each is None else f"{times * each:z.{places}f}" for each in bounds)
    return value or NONE, f"{low} to {high}" if value and low and high else ""


def longer_preferred_rate(score: Score) -> Rate:
    """Give the share of decided items that the longer answer won, with Wilson's interval."""
    return share_rate(score.longer_preferred, score.wins + score.losses, score.confidence)


def scores_by_judge(scores: Mapping[Any, Score], test: str) -> dict[str, dict[str, Score]]:
    """Give a test set's scores by judge and reference."""
    found: dict[str, dict[str, Score]] = {}
    for (name, reference, judge), score in scores.items():
        if name == test:
            found.setdefault(judge, {})[reference] = score
    return found


def group_rates(scores: Mapping[str, Score], field: str) -> dict[str, dict[str, Rate]]:
    """Give the win rates of several references by difficulty or type."""
    found: dict[str, dict[str, Rate]] = {}
    for against, score in scores.items():
        for name, rate in getattr(score, field).items():
            found.setdefault(name, {})[against] = rate
    return dict(sorted(found.items()))


def format_count(number: int | None) -> str:
    """Write a whole number with thousands separators."""
    return NONE if number is None else f"{number:,}"


def format_dollars(amount: float | None) -> str:
    """Write dollars with cents; small amounts with four decimals."""
    if amount is None:
        return NONE
    return f"{amount:,.2f}" if amount >= 1 or amount == 0 else f"{amount:.4f}"


def join_names(names: Sequence[str]) -> str:
    """Name some things: "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


FILTERS = {
    "figures": format_rate,
    "whole": overall_rate,
    "consistency": consistency_rate,
    "longer": longer_preferred_rate,
    "by_judge": scores_by_judge,
    "groups": group_rates,
    "count": format_count,
    "dollars": format_dollars,
    "listed": join_names,
    "percent": percent,
}
