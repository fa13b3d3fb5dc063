"""Pictures of win rates and of training."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, islice
from typing import Any

import altair as alt

from alpacare.evaluation.score import Cell, Rate, Score
from alpacare.evaluation.score_table import overall_rate
from alpacare.report.data import ReportData, Training
from alpacare.report.drawing import INK, SERIES, SOFT, WIDTH, Figure, set_size

_POINTS = 300  # of a curve, whatever its length
PERCENT = [0, 25, 50, 75, 100]


def draw_scores(report: ReportData) -> Iterator[Figure]:
    """Draw the win rates of each test set, and for each judge those by difficulty."""
    confidence = f"{100 * report.params.scores.confidence:g} %"
    for test in dict.fromkeys(cell[0] for cell in report.scores):
        scores = {cell: score for cell, score in report.scores.items() if cell[0] == test}
        yield Figure(
            f"win-rates-{test}",
            f"Win rates on {test}",
            "Dots: the student's win rate; rings: the length-controlled one; lines: "
            f"{confidence} intervals.",
            _forest(scores),
        )
        for judge in dict.fromkeys(cell[2] for cell in scores):
            own = {cell[1]: score for cell, score in scores.items() if cell[2] == judge}
            if any(score.by_difficulty for score in own.values()):
                yield Figure(
                    f"difficulty-{test}-{judge}",
                    f"{test}, judged by {judge}",
                    f"Win rate in % by the task's difficulty, 1 (easy) to 5; lines: {confidence} "
                    "intervals. The dashed line is 50 %.",
                    _by_difficulty(own),
                )


def _percents(rate: Rate) -> dict[str, float | None]:
    known = {"rate": rate.win_rate, "low": rate.ci_low, "high": rate.ci_high}
    return {name: None if value is None else 100 * value for name, value in known.items()}


def _forest(scores: Mapping[Cell, Score]) -> Any:
    rows = [
        {"against": cell[1], "judge": f"judged by {cell[2]}", **_percents(overall_rate(score))}
        | {"length_controlled": _percents(score.length_controlled)["rate"]}
        for cell, score in scores.items()
        if score.win_rate is not None
    ]
    order = list(dict.fromkeys(cell[1] for cell in scores))
    x = _scale(alt.X("rate:Q"), "student's win rate, %")
    ring = _scale(alt.X("length_controlled:Q"))
    base = alt.Chart(width=WIDTH - 90, height={"step": 26})
    rates = base.encode(y=alt.Y("against:N", sort=order, title=None))
    lines = rates.mark_rule(color=INK).encode(x=_scale(alt.X("low:Q")), x2="high:Q")
    dots = rates.mark_point(filled=True, color=SERIES[0], size=70, opacity=1).encode(x=x)
    rings = rates.mark_point(color=SOFT, size=50, opacity=1).encode(x=ring)
    even = base.mark_rule(color=SOFT, strokeDash=[4, 3]).encode(x=alt.datum(50))
    layers = alt.layer(even, lines, dots, rings, data=alt.InlineData(values=rows))
    return layers.facet(row=alt.Row("judge:N", header=alt.Header(orient="top"), title=None))


def _scale(channel: Any, title: str | None = None) -> Any:
    scale, axis = alt.Scale(domain=[0, 100]), alt.Axis(values=PERCENT, grid=True, domain=False)
    return channel.scale(scale).axis(axis).title(title)


def _by_difficulty(scores: Mapping[str, Score]) -> Any:
    names = list(scores)
    rows = [
        {"against": name, "difficulty": difficulty, **_percents(rate)}
        for name, score in scores.items()
        for difficulty, rate in score.by_difficulty.items()
        if rate.win_rate is not None
    ]
    colours = alt.Scale(domain=names, range=list(islice(cycle(SERIES), len(names))))
    rates = alt.Chart().encode(
        x=alt.X("difficulty:O", title="difficulty", axis=alt.Axis(labelAngle=0, domain=False)),
        xOffset=alt.XOffset("against:N", sort=names),
        color=alt.Color("against:N", sort=names, scale=colours, title=None),
    )
    low, rate = (_scale(alt.Y(name), "win rate, %") for name in ("low:Q", "rate:Q"))
    lines = rates.mark_rule().encode(y=low, y2="high:Q")
    dots = rates.mark_point(filled=True, size=45, opacity=1).encode(y=rate)
    even = alt.Chart().mark_rule(color=SOFT, strokeDash=[4, 3]).encode(y=alt.datum(50))
    return set_size(alt.layer(even, lines, dots, data=alt.InlineData(values=rows)), 230)


def draw_training(training: Training) -> Iterator[Figure]:
    """Draw the loss; nothing where there were no steps."""
    if not training.curve:
        return
    rows, width = _thin([(step, loss) for step, loss, _ in training.curve])
    x = alt.X("step:Q", title="step", axis=alt.Axis(grid=False, tickCount=5, format=",d"))
    low, loss = (
        alt.Y(name, title="loss, nats a token", scale=alt.Scale(zero=False))
        for name in ("low:Q", "loss:Q")
    )
    curve = alt.Chart(alt.InlineData(values=rows)).encode(x=x)
    band = curve.mark_area(color=SERIES[0], opacity=0.25).encode(y=low, y2="high:Q")
    layers = [band, curve.mark_line(color=SERIES[0], strokeWidth=1.5).encode(y=loss)]
    means = f": the mean of every {width} steps, within lowest and highest" if width > 1 else ""
    caption = f"Training loss in nats a response token{means}."
    if training.validation:
        held = [{"step": step, "loss": value} for step, value in training.validation]
        dots = alt.Chart(alt.InlineData(values=held)).encode(x=x, y=loss)
        layers.append(dots.mark_point(filled=True, color=SERIES[1], size=60, opacity=1))
        caption += " Dots: loss on the examples held out."
    yield Figure("loss", "Loss", caption, set_size(alt.layer(*layers), 230))


def _thin(curve: Sequence[tuple[int, float]]) -> tuple[list[dict[str, float]], int]:
    """Average over steps so that a picture can show them; give the number of steps too."""
    width = -(-len(curve) // _POINTS)
    groups = [curve[start : start + width] for start in range(0, len(curve), width)]
    rows = [
        {
            "step": group[len(group) // 2][0],
            "loss": sum(loss for _, loss in group) / len(group),
            "low": min(loss for _, loss in group),
            "high": max(loss for _, loss in group),
        }
        for group in groups
    ]
    return rows, width
