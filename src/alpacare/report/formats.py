"""Figures as the page writes them: unit in the head of the column, interval behind the figure."""

from collections.abc import Mapping, Sequence
from typing import Any

from alpacare.evaluation.agreement import Estimate
from alpacare.evaluation.score import Mean, Rate, Score
from alpacare.evaluation.score_table import consistency, percent, share, whole

NONE = "\N{EN DASH}"


def figures(rate: Rate | Estimate | None, times: float = 100, places: int = 1) -> tuple[str, str]:
    """Give a figure and its interval as text: ("31.4", "21.7 to 43.1")."""
    value, low, high = _bounds(rate)
    if value is None:
        return NONE, ""
    known = low is not None and high is not None
    return _write(value, times, places), (
        f"{_write(low, times, places)} to {_write(high, times, places)}" if known else ""
    )


def _bounds(rate: Rate | Estimate | None) -> tuple[float | None, float | None, float | None]:
    if rate is None:
        return None, None, None
    value = rate.win_rate if isinstance(rate, Rate) else rate.value
    return value, rate.ci_low, rate.ci_high


def _write(value: float | None, times: float, places: int) -> str:
    return "" if value is None else f"{times * value:z.{places}f}"


def longer(score: Score) -> Rate:
    """Give the share of decided items that the longer answer won, with Wilson's interval."""
    return share(score.longer_preferred, score.wins + score.losses, score.confidence)


def by_judge(scores: Mapping[Any, Score], test: str) -> dict[str, dict[str, Score]]:
    """Give a test set's scores by judge and reference."""
    found: dict[str, dict[str, Score]] = {}
    for (name, reference, judge), score in scores.items():
        if name == test:
            found.setdefault(judge, {})[reference] = score
    return found


def groups(scores: Mapping[str, Score], field: str) -> dict[str, dict[str, Rate]]:
    """Give the win rates of several references by difficulty or type."""
    names = sorted({name for score in scores.values() for name in getattr(score, field)})
    return {
        name: {
            against: getattr(score, field)[name]
            for against, score in scores.items()
            if name in getattr(score, field)
        }
        for name in names
    }


def count(number: int | None) -> str:
    """Write a whole number with its thousands marked."""
    return NONE if number is None else f"{number:,}"


def dollars(amount: float | None) -> str:
    """Write dollars: cents, and more of small sums."""
    if amount is None:
        return NONE
    return f"{amount:,.2f}" if amount >= 1 or amount == 0 else f"{amount:.4f}"


def of_hundred(share: float | None) -> str:
    """Write the place on a drawing from 0 to 100."""
    return f"{100 * (share or 0):.2f}%"


def listed(names: Sequence[str]) -> str:
    """Name some things: "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def mean_name(mean: Mean) -> str:
    """Name a mean over references."""
    return f"mean of {mean.references}"


FILTERS = {
    "figures": figures,
    "whole": whole,
    "consistency": consistency,
    "longer": longer,
    "by_judge": by_judge,
    "groups": groups,
    "count": count,
    "dollars": dollars,
    "of_hundred": of_hundred,
    "listed": listed,
    "mean_name": mean_name,
    "percent": percent,
}
