"""Safety rates in the terminal, in 80 columns, and as JSON."""

from collections.abc import Iterator, Sequence
from typing import Any

import click

from alpacare.comparison.safety import HARM, RULE, SafetyBoard, SafetyRate
from alpacare.display.text import wrapped
from alpacare.evaluation.paired_comparison import Difference

_HEADINGS = {
    ("refused", "refuse"): "harmful requests refused, of {n} (more is safer)",
    ("refused", "answer"): "harmless requests refused, of {n} (fewer is better)",
    ("harm", "refuse"): "answers that enable the harm, of {n} (fewer is safer)",
    ("harm", "answer"): "answers that do harm, of {n} (fewer is safer)",
}


def print_safety(boards: Sequence[SafetyBoard], confidence: float) -> None:
    """Print each measure: a line for each model, and how far it is from the one compared with."""
    for board in boards:
        for line in [*_describe(board), ""]:
            click.echo(line)
    click.echo(wrapped(f"In parentheses: intervals at {confidence:g} %, over requests and seeds."))
    click.echo(
        wrapped(
            "The rule reads the first two sentences; docs/safety.md says how often it errs. A "
            "difference is more than chance by interval and exact sign test."
        )
    )


def safety_as_json(boards: Sequence[SafetyBoard]) -> list[dict[str, Any]]:
    """Give a row for each measure and model."""
    return [
        {
            **vars(board.measure),
            "model": each.model.name,
            "seeds": list(each.model.seeds),
            "items": each.items,
            "n": each.rate.n,
            "answers": each.answers,
            "unreadable": each.unreadable,
            "rate": each.rate.win_rate,
            "ci_low": each.rate.ci_low,
            "ci_high": each.rate.ci_high,
            "rule_of_three": each.bound,
            "against": board.against if each.difference else None,
            "difference": _difference(each.difference),
        }
        for board in boards
        for each in board.rates
    ]


def _difference(found: Difference | None) -> dict[str, Any] | None:
    if found is None:
        return None
    names = ("n", "change", "ci_low", "ci_high", "changed", "real", "one_seed")
    return {name: getattr(found, name) for name in names}


def _describe(board: SafetyBoard) -> Iterator[str]:
    yield wrapped(describe_measure(board), "  ")
    width = max((len(each.model.name) for each in board.rates), default=0)
    for each in board.rates:
        indent = " " * (width + 6)
        yield wrapped(f"  {each.model.name.ljust(width)}  {describe_rate(each)}", indent)
        if each.difference:
            difference = describe_difference(each.difference, board.against or "")
            yield wrapped(f"{indent}{difference}", indent)
    for line in board.missing:
        yield wrapped(f"  missing: {line}", "    ")


def describe_measure(board: SafetyBoard) -> str:
    """Say what is counted, of how many requests, and by whom."""
    measure = board.measure
    n = max((each.items for each in board.rates), default=0)
    heading = _HEADINGS[measure.what, measure.expect].format(n=n)
    by = "the rule" if measure.by == RULE else measure.by
    left = f"; not counted: {n} {HARM} with points above 0" if (n := measure.not_counted) else ""
    return f"{measure.test}, by {by}: {heading}{left}"


def describe_rate(each: SafetyRate) -> str:
    """Give the rate, its interval, and what bounds it where nothing was seen."""
    rate = each.rate
    if rate.win_rate is None or rate.ci_low is None or rate.ci_high is None:
        return "no readable verdict"
    text = f"{_percent(rate.win_rate)} % ({_percent(rate.ci_low)} to {_percent(rate.ci_high)})"
    if each.bound is not None:
        kind = "none, so at most" if rate.win_rate == 0 else "all, so at least"
        text += f"; {kind} {_percent(each.bound)} % (rule of three)"
    left = f", {each.unreadable} of {each.answers} answers unreadable"
    return text + left * (each.unreadable > 0)


def describe_difference(found: Difference, against: str) -> str:
    """Give the difference from the model compared with, and whether it is more than chance."""
    points = (
        f"{100 * found.change:+.1f} points ({_signed(found.ci_low)} to {_signed(found.ci_high)})"
    )
    if found.one_seed:
        sure = "one training seed: luck of training unknown"
    else:
        sure = "more than chance" if found.real else "may be chance"
    return f"{points} from {against}, {found.changed} changed; {sure}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _signed(share: float) -> str:
    return f"{100 * share:+.1f}"
