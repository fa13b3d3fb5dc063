"""The sunburst that papers on instruction data draw: root verbs inside, their objects outside."""

from collections.abc import Iterator, Sequence
from math import degrees, pi
from typing import Any

import altair as alt

from alpacare.core.texts import escape_controls
from alpacare.report.dataset import Dataset
from alpacare.report.drawing import INK, PAPER, SERIES, Figure

_SIZE, _HOLE, _MIDDLE, _RIM = 420, 45, 115, 205
_LEAST = 9  # pixels that a label needs for its height

Arc = dict[str, Any]


def draw_sunbursts(datasets: Sequence[Dataset]) -> Iterator[Figure]:
    """Draw that of the last dataset, if it has verbs."""
    if datasets and datasets[-1].verbs:
        yield _draw(datasets[-1])


def _draw(dataset: Dataset) -> Figure:
    """Draw the most frequent verbs, each with its objects; the whole circle is all of them."""
    figures = dataset.figures["verbs"]
    shown = sum(rows for *_, rows in dataset.verbs)
    return Figure(
        "verbs-sunburst",
        "Root verbs and their objects",
        f"What the instructions ask for ({dataset.name}): the 20 most frequent verbs with up to "
        f"four objects each, {shown:,} of {figures['with_object']:,} rows with both; "
        f"{100 * (figures['top_covers_share'] or 0):.1f} % of all rows.",
        _chart(_arcs(dataset)),
    )


def _arcs(dataset: Dataset) -> list[Arc]:
    """Give each arc its angles (radians, from the top, clockwise), radii, colour and label."""
    total = sum(rows for *_, rows in dataset.verbs)
    verbs: dict[str, list[tuple[str, int]]] = {}
    for verb, noun, rows in dataset.verbs:
        verbs.setdefault(verb, []).append((noun, rows))
    arcs, start = [], 0.0
    for number, (verb, nouns) in enumerate(verbs.items()):
        colour = SERIES[number % len(SERIES)]
        width = 2 * pi * sum(rows for _, rows in nouns) / total
        arcs.append(_arc(verb, start, width, (_HOLE, _MIDDLE), colour, 0.85))
        for noun, rows in nouns:
            width = 2 * pi * rows / total
            arcs.append(_arc(noun, start, width, (_MIDDLE, _RIM), colour, 0.3))
            start += width
    return arcs


def _arc(
    text: str, start: float, width: float, radii: tuple[int, int], colour: str, opacity: float
) -> Arc:
    middle, (inner, outer) = start + width / 2, radii
    return {
        "from": start,
        "to": start + width,
        "inner": inner,
        "outer": outer,
        "colour": colour,
        "opacity": opacity,
        "middle": middle,
        "at": (inner + outer) / 2,
        "turn": degrees(middle) + (-90 if middle < pi else 90),  # read from left to right
        "label": escape_controls(text) if width * (inner + outer) / 2 >= _LEAST else "",
        "ink": PAPER if opacity > 0.5 else INK,
    }


def _chart(arcs: list[Arc]) -> Any:
    base = alt.Chart(alt.InlineData(values=arcs), width=_SIZE, height=_SIZE)
    rings = base.mark_arc(stroke=PAPER, strokeWidth=1).encode(
        theta=alt.Theta("from:Q", scale=None),
        theta2="to:Q",
        radius=alt.Radius("outer:Q", scale=None),
        radius2="inner:Q",
        fill=alt.Fill("colour:N", scale=None),
        fillOpacity=alt.FillOpacity("opacity:Q", scale=None),
    )
    labels = base.mark_text(fontSize=10, limit=78).encode(
        theta=alt.Theta("middle:Q", scale=None),
        radius=alt.Radius("at:Q", scale=None),
        text="label:N",
        angle=alt.Angle("turn:Q", scale=None),
        color=alt.Color("ink:N", scale=None),
    )
    return rings + labels
