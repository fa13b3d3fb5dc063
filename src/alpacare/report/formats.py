"""Formats of figures on the page: the unit is in the column head, the interval after the figure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from alpacare.comparison.benchmark_board import BenchmarkBoard
from alpacare.comparison.benchmark_print import metric_name, write_letters
from alpacare.comparison.leaderboard import Board, Duel
from alpacare.comparison.leaderboard_print import describe_luck
from alpacare.comparison.rubric_board_print import (
    describe_rubric_board,
    score_text,
    unread_share,
)
from alpacare.comparison.safety_print import (
    describe_difference,
    describe_measure,
    describe_rate,
)
from alpacare.comparison.sentences import (
    describe_holm,
    describe_parts,
    describe_points,
    describe_verdict,
)
from alpacare.display.text import name_some
from alpacare.evaluation.agreement import Corrected, Estimate, HumanRate
from alpacare.evaluation.score import Rate, too_few_items
from alpacare.evaluation.score_table import percent
from alpacare.report.averages import Averaged
from alpacare.report.reasons import reason_in_words
from alpacare.report.trainings import name_base

Lanes = Mapping[str, Mapping[str, tuple[Rate, Sequence[float]]]]
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


def format_count(number: int | None) -> str:
    """Write a whole number with thousands separators."""
    return NONE if number is None else f"{number:,}"


def format_dollars(amount: float | None) -> str:
    """Write dollars with cents; small amounts with four decimals."""
    if amount is None:
        return NONE
    return f"{amount:,.2f}" if amount >= 1 or amount == 0 else f"{amount:.4f}"


def join_names(things: Iterable[object]) -> str:
    """Name some things: "a, b and c"."""
    names = list(map(str, things))
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def format_share(share: float | None) -> str:
    """Write a share as percent with one decimal."""
    return NONE if share is None else percent(share)


def dash(value: Any) -> Any:
    """Give a value, or a dash for none."""
    return NONE if value is None else value


def models_of(groups: Sequence[Mapping[str, Mapping[str, Rate]]]) -> list[str]:
    """Name the models that have a rate in a group, by difficulty or type."""
    return list(dict.fromkeys(m for rows in groups for rates in rows.values() for m in rates))


def lanes_of_references(rows: Mapping[str, Sequence[Averaged]]) -> Lanes:
    """Give what is drawn of each model against each reference."""
    return {
        name: {row.model: (row.rate, row.by_seed) for row in models}
        for name, models in rows.items()
    }


def lanes_of_groups(groups: Mapping[str, Mapping[str, Rate]]) -> Lanes:
    """Give what is drawn of each model in each group of items, with the number of items."""
    return {
        name_group(name, models): {model: (rate, ()) for model, rate in models.items()}
        for name, models in groups.items()
    }


def name_group(name: str, rates: Mapping[str, Rate]) -> str:
    """Name a group with its number of items, and say if they are too few."""
    n = max(rate.n for rate in rates.values())
    return f"{name}\N{NO-BREAK SPACE}({n:,}{', few' if too_few_items(n) else ''})"


def format_day(moment: str) -> str:
    """Write the day of a moment in ISO form: "30 November 2026"."""
    day = datetime.fromisoformat(moment)
    return f"{day.day} {day:%B %Y}"


def describe_duel(duel: Duel, judge: str | None) -> str:
    """Say whether a student differs from the one head to head; `judge` None: on a benchmark."""
    found = duel.difference
    said = f"{describe_points(found)}: {describe_verdict(found)}"
    by = f", judged by {judge}" if judge else ""
    return f"{duel.name} against {duel.other}{by}: {said}."


def describe_correction(board: Board | BenchmarkBoard) -> str:
    """Say that several such sentences are corrected together; "" where they are not."""
    return describe_holm(len(board.duels), board.duels[0].other) if board.duels else ""


def describe_widths(board: Board) -> str:
    """Say of each model what makes its interval wide: half widths in points."""
    said = [
        f"{each.model.name}: {describe_parts(each.parts, each.seeds.unknown)}"
        for each in board.entries
    ]
    return "; ".join(said)


def name_model(each: HumanRate | Corrected) -> str:
    """Name a model, a student with its training seed."""
    return each.model if each.seed is None else f"{each.model}, seed {each.seed}"


FILTERS = {
    "base": name_base,
    "count": format_count,
    "dash": dash,
    "day": format_day,
    "described": describe_duel,
    "dollars": format_dollars,
    "few": too_few_items,
    "figures": format_rate,
    "group": name_group,
    "holm": describe_correction,
    "luck": describe_luck,
    "lanes_of_groups": lanes_of_groups,
    "lanes_of_references": lanes_of_references,
    "letters": write_letters,
    "listed": join_names,
    "metric": metric_name,
    "model": name_model,
    "models_of": models_of,
    "parts": describe_widths,
    "percent": percent,
    "reason": reason_in_words,
    "rubric_score": score_text,
    "rubric_sentences": describe_rubric_board,
    "safety_difference": describe_difference,
    "safety_rate": describe_rate,
    "safety_title": describe_measure,
    "share": format_share,
    "some": name_some,
    "unread": unread_share,
}
