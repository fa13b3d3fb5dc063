"""The picture of training: the loss of every student, a line for each training seed."""

from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from typing import Any

import altair as alt

from alpacare.report.drawing import SERIES, Figure, set_size
from alpacare.report.trainings import Training

_POINTS = 300  # of all curves together, whatever their length
_FEWEST = 40  # of one


def draw_trainings(trainings: Sequence[Training]) -> Iterator[Figure]:
    """Draw the loss; nothing where there were no steps."""
    drawn = [each for each in trainings if each.curve]
    if not drawn:
        return
    points = max(_FEWEST, _POINTS // len(drawn))
    width = max(-(-len(each.curve) // points) for each in drawn)
    names = list(dict.fromkeys(each.run.student for each in drawn))
    colours = alt.Scale(domain=names, range=list(islice(cycle(SERIES), len(names))))
    losses = alt.Chart().encode(
        x=alt.X("step:Q", title="step", axis=alt.Axis(grid=False, tickCount=5, format=",d")),
        y=alt.Y("loss:Q", title="loss, nats a token", scale=alt.Scale(zero=False)),
        color=alt.Color("student:N", sort=names, scale=colours, title=None),
        detail="seed:N",
    )
    rows = [row for each in drawn for row in _thin(each, width)]
    layers = [losses.mark_line(strokeWidth=1.2).properties(data=alt.InlineData(values=rows))]
    caption = "Training loss in nats a response token, a line for each training seed"
    caption += f": the mean of every {width} steps." if width > 1 else "."
    if held := [row for each in drawn for row in _held_out(each)]:
        dots = losses.mark_point(filled=True, size=45, opacity=1)
        layers.append(dots.properties(data=alt.InlineData(values=held)))
        caption += " Dots: loss on the examples held out."
    yield Figure("loss", "Loss", caption, set_size(alt.layer(*layers), 230))


def _thin(training: Training, width: int) -> list[dict[str, Any]]:
    """Average over so many steps, so that a picture can show them."""
    steps = [(step, loss) for step, loss, _ in training.curve]
    groups = [steps[start : start + width] for start in range(0, len(steps), width)]
    return [
        {"step": group[len(group) // 2][0], "loss": sum(loss for _, loss in group) / len(group)}
        | training.run._asdict()
        for group in groups
    ]


def _held_out(training: Training) -> list[dict[str, Any]]:
    return [
        {"step": step, "loss": loss} | training.run._asdict() for step, loss in training.validation
    ]
