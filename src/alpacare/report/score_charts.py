"""Pictures of win rates and of training."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from alpacare.evaluation.score import Rate, Score
from alpacare.evaluation.score_table import Cell
from alpacare.report.data import Report, Training
from alpacare.report.drawing import INK, SERIES, SOFT, WIDTH, Figure, sized

_POINTS = 300  # of a curve, whatever its length
PERCENT = [0, 25, 50, 75, 100]


def draw_scores(report: Report) -> Iterator[Figure]:
    """Draw the win rates of each test set, and for each judge those by difficulty."""
    confidence = f"{100 * report.confidence:g} %"
    for test in dict.fromkeys(cell[0] for cell in report.scores):
        scores = {cell: score for cell, score in report.scores.items() if cell[0] == test}
        yield Figure(
            f"win-rates-{test}",
            f"Win rates on {test}",
            f"Dots: the student's win rate; rings: at equal length; lines: {confidence} intervals.",
            _forest(scores),
        )
        for judge in dict.fromkeys(cell[2] for cell in scores):
            own = {cell[1]: score for cell, score in scores.items() if cell[2] == judge}
            if any(score.by_difficulty for score in own.values()):
                yield Figure(
                    f"difficulty-{test}-{judge}",
                    f"{test}, judged by {judge}",
                    f"Win rate in % by the task's difficulty, 1 (easy) to 5; lines: {confidence} "
                    "intervals. The dashed line is an even chance.",
                    _by_difficulty(own),
                )


def _percents(rate: Rate) -> dict[str, float | None]:
    known = {"rate": rate.win_rate, "low": rate.ci_low, "high": rate.ci_high}
    return {name: None if value is None else 100 * value for name, value in known.items()}


def _forest(scores: Mapping[Cell, Score]) -> Any:
    import altair as alt

    rows = [
        {"against": cell[1], "judge": f"judged by {cell[2]}", **_percents(_whole(score))}
        | {"equal": _percents(score.length_controlled)["rate"]}
        for cell, score in scores.items()
        if score.win_rate is not None
    ]
    order = list(dict.fromkeys(cell[1] for cell in scores))
    y = alt.Y("against:N", sort=order, title=None)
    x = _scale(alt.X("rate:Q"), "student's win rate, %")
    base = alt.Chart(width=WIDTH - 90, height={"step": 26})
    lines = base.mark_rule(color=INK).encode(y=y, x=_scale(alt.X("low:Q")), x2="high:Q")
    dots = base.mark_point(filled=True, color=SERIES[0], size=70, opacity=1).encode(y=y, x=x)
    rings = base.mark_point(color=SOFT, size=50, opacity=1).encode(y=y, x=_scale(alt.X("equal:Q")))
    even = base.mark_rule(color=SOFT, strokeDash=[4, 3]).encode(x=alt.datum(50))
    layers = alt.layer(even, lines, dots, rings, data=alt.InlineData(values=rows))
    return layers.facet(row=alt.Row("judge:N", header=alt.Header(orient="top"), title=None))


def _whole(score: Score) -> Rate:
    return Rate(
        win_rate=score.win_rate, ci_low=score.ci_low, ci_high=score.ci_high, n=score.n_valid
    )


def _scale(channel: Any, title: str | None = None) -> Any:
    import altair as alt

    scale, axis = alt.Scale(domain=[0, 100]), alt.Axis(values=PERCENT, grid=True, domain=False)
    return channel.scale(scale).axis(axis).title(title)


def _by_difficulty(scores: Mapping[str, Score]) -> Any:
    import altair as alt

    names = list(scores)
    rows = [
        {"against": name, "difficulty": difficulty, **_percents(rate)}
        for name, score in scores.items()
        for difficulty, rate in score.by_difficulty.items()
        if rate.win_rate is not None
    ]
    x = alt.X("difficulty:O", title="difficulty", axis=alt.Axis(labelAngle=0, domain=False))
    side = alt.XOffset("against:N", sort=names)
    colour = alt.Color("against:N", sort=names, scale=_colours(names), title=None)
    base = alt.Chart()
    even = base.mark_rule(color=SOFT, strokeDash=[4, 3]).encode(y=alt.datum(50))
    lines = base.mark_rule().encode(
        x=x, xOffset=side, color=colour, y=_scale(alt.Y("low:Q"), "win rate, %"), y2="high:Q"
    )
    dots = base.mark_point(filled=True, size=45, opacity=1).encode(
        x=x, xOffset=side, color=colour, y=_scale(alt.Y("rate:Q"), "win rate, %")
    )
    return sized(alt.layer(even, lines, dots, data=alt.InlineData(values=rows)), 230)


def _colours(names: Sequence[str]) -> Any:
    import altair as alt

    return alt.Scale(domain=list(names), range=[SERIES[n % len(SERIES)] for n in range(len(names))])


def draw_training(training: Training) -> Iterator[Figure]:
    """Draw the loss; nothing where there were no steps."""
    import altair as alt

    if not training.curve:
        return
    rows, width = _thin([(step, loss) for step, loss, _ in training.curve])
    x = alt.X("step:Q", title="step", axis=alt.Axis(grid=False, tickCount=5, format=",d"))
    scale = alt.Scale(zero=False)
    base = alt.Chart(alt.InlineData(values=rows))
    loss = alt.Y("loss:Q", title="loss, nats a token", scale=scale)
    band = base.mark_area(color=SERIES[0], opacity=0.25).encode(
        x=x, y=alt.Y("low:Q", scale=scale, title="loss, nats a token"), y2="high:Q"
    )
    layers = [band, base.mark_line(color=SERIES[0], strokeWidth=1.5).encode(x=x, y=loss)]
    caption = "Training loss in nats a response token"
    caption += (
        f": the mean of every {width} steps, within lowest and highest." if width > 1 else "."
    )
    if training.validation:
        held = [{"step": step, "loss": value} for step, value in training.validation]
        dots = alt.Chart(alt.InlineData(values=held)).mark_point(
            filled=True, color=SERIES[1], size=60, opacity=1
        )
        layers.append(dots.encode(x=x, y=loss))
        caption += " Dots: loss on the examples held out."
    yield Figure("loss", "Loss", caption, sized(alt.layer(*layers), 230))


def _thin(curve: Sequence[tuple[int, float]]) -> tuple[list[dict[str, float]], int]:
    """Take so many steps together that a picture can show them; give their number too."""
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
