"""Pictures of win rates: one mark for each training seed, or means by difficulty."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, islice, product
from typing import Any, Literal

import altair as alt

from alpacare.evaluation.score import Cell, Rate, Score
from alpacare.evaluation.score_table import overall_rate
from alpacare.report.averages import average_groups
from alpacare.report.data import ReportData
from alpacare.report.drawing import SERIES, SOFT, WIDTH, Figure, set_size
from alpacare.report.formats import name_group

GROUPS: tuple[Literal["difficulty", "type"], ...] = ("difficulty", "type")
PERCENT = [0, 25, 50, 75, 100]
_LANE = 11  # pixels for a model, within those of a reference


def draw_scores(report: ReportData) -> Iterator[Figure]:
    """Draw the win rates of each test set, and for each judge those by difficulty and type."""
    confidence = f"{100 * report.params.scores.confidence:g} %"
    for test in dict.fromkeys(cell.test for cell in report.scores):
        scores = {cell: score for cell, score in report.scores.items() if cell.test == test}
        yield Figure(
            f"win-rates-{test}",
            f"Win rates on {test}",
            "By reference, a dot for each training seed of a model; rings: the length-controlled "
            f"win rate; lines: {confidence} intervals over test items.",
            _forest(scores),
        )
        for judge, field in product(dict.fromkeys(cell.judge for cell in scores), GROUPS):
            groups = average_groups(report.params, scores, report.boards, test, judge, field)
            if groups:
                yield Figure(
                    f"{field}-{test}-{judge}",
                    f"{test}, judged by {judge}",
                    f"Win rate in % by the item's {field}, with the number of items (few: "
                    "under ten, which say nothing): means over references and training seeds; "
                    f"lines: {confidence} intervals; dashed: 50 %.",
                    _by_group(groups, field),
                )


def _percents(rate: Rate) -> dict[str, float | None]:
    known = {"rate": rate.win_rate, "low": rate.ci_low, "high": rate.ci_high}
    return {name: None if value is None else 100 * value for name, value in known.items()}


def _forest(scores: Mapping[Cell, Score]) -> Any:
    rows = [
        {"model": cell.model, "against": cell.reference, "judge": f"judged by {cell.judge}"}
        | {"seed": cell.seed, **_percents(overall_rate(score))}
        | {"length_controlled": _percents(score.length_controlled)["rate"]}
        for cell, score in scores.items()
        if score.win_rate is not None
    ]
    order = list(dict.fromkeys(cell.reference for cell in scores))
    models = list(dict.fromkeys(cell.model for cell in scores))
    x = _scale(alt.X("rate:Q"), "win rate, %")
    ring = _scale(alt.X("length_controlled:Q"))
    base = alt.Chart(width=WIDTH - 90, height=alt.Step(_LANE))
    rates = base.encode(
        y=alt.Y("against:N", sort=order, title=None),
        yOffset=alt.YOffset("model:N", sort=models),
        color=alt.Color("model:N", sort=models, scale=_colours(models), title=None),
    )
    lines = rates.mark_rule(opacity=0.6).encode(x=_scale(alt.X("low:Q")), x2="high:Q")
    dots = rates.mark_point(filled=True, size=40, opacity=1).encode(x=x)
    rings = rates.mark_point(size=40, opacity=0.6).encode(x=ring)
    even = base.mark_rule(color=SOFT, strokeDash=[4, 3]).encode(x=alt.datum(50))
    layers = alt.layer(even, lines, dots, rings, data=alt.InlineData(values=rows))
    judges = list(dict.fromkeys(str(row["judge"]) for row in rows))
    header = alt.Header(orient="top")
    return layers.facet(row=alt.Row("judge:N", sort=judges, header=header, title=None))


def _colours(names: Sequence[str]) -> Any:
    return alt.Scale(domain=names, range=list(islice(cycle(SERIES), len(names))))


def _scale(channel: Any, title: str | None = None) -> Any:
    scale, axis = alt.Scale(domain=[0, 100]), alt.Axis(values=PERCENT, grid=True, domain=False)
    return channel.scale(scale).axis(axis).title(title)


def _by_group(groups: Mapping[str, Mapping[str, Rate]], field: str) -> Any:
    names = list(dict.fromkeys(name for models in groups.values() for name in models))
    rows = [
        {"model": name, "group": name_group(group, models), **_percents(rate)}
        for group, models in groups.items()
        for name, rate in models.items()
        if rate.win_rate is not None
    ]
    rates = alt.Chart().encode(
        y=alt.Y("group:N", title=field, axis=alt.Axis(domain=False)),
        yOffset=alt.YOffset("model:N", sort=names),
        color=alt.Color("model:N", sort=names, scale=_colours(names), title=None),
    )
    low, rate = (_scale(alt.X(name), "win rate, %") for name in ("low:Q", "rate:Q"))
    lines = rates.mark_rule().encode(x=low, x2="high:Q")
    dots = rates.mark_point(filled=True, size=40, opacity=1).encode(x=rate)
    even = alt.Chart().mark_rule(color=SOFT, strokeDash=[4, 3]).encode(x=alt.datum(50))
    chart = alt.layer(even, lines, dots, data=alt.InlineData(values=rows))
    return set_size(chart, {"step": _LANE})
