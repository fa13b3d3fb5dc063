"""Charts become pictures: SVG in the colours of the page's theme; SVG and PNG for papers."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# what a chart draws in on paper, and what the page calls it
INK, SOFT, LINE, PAPER = "#1c2024", "#5a626c", "#d8dce1", "#fefefe"
SERIES = ("#1f5fa8", "#b4531d", "#2d7a4d", "#7647a0", "#7d6200", "#a8385f")
_THEMED = {INK: "--ink", SOFT: "--soft", LINE: "--line", PAPER: "--card"} | {
    colour: f"--series-{number}" for number, colour in enumerate(SERIES, start=1)
}
FONT = "Helvetica, Arial, Liberation Sans, sans-serif"
WIDTH = 330  # a picture fits on a phone as it is
_WHITE = "white"
# pixels around a picture; on the left labels grow where a reader's font is wider than the one
# that they were measured in
_PADDING = {"left": 14, "right": 6, "top": 4, "bottom": 4}
_PAPER_SCALE = 3  # pixels of a PNG for one of the picture's

_AXIS = {
    "labelColor": SOFT,
    "titleColor": SOFT,
    "domainColor": LINE,
    "tickColor": LINE,
    "gridColor": LINE,
    "labelFontSize": 11,
    "titleFontSize": 11,
    "titleFontWeight": "normal",
    "labelLimit": 150,
}
_CONFIG: dict[str, Any] = {
    "font": FONT,
    "background": _WHITE,
    "aria": False,
    "view": {"stroke": None},
    "axis": _AXIS,
    "legend": {
        "labelColor": INK,
        "labelFontSize": 11,
        "title": None,
        "orient": "top",
        "symbolType": "circle",
        "columns": 3,
        "labelLimit": 100,
    },
    "header": {"labelColor": INK, "labelFontSize": 11, "title": None},
}


@dataclass(frozen=True)
class Figure:
    """One picture: a file name, a title, what is seen in words, and the chart itself."""

    name: str
    title: str
    caption: str
    chart: Any  # altair's


def sized(chart: Any, height: Any) -> Any:
    """Make a chart as wide as all others, axes included; `height` in pixels, or {"step": ...}."""
    import altair as alt

    autosize = alt.AutoSizeParams(
        type="fit-x" if isinstance(height, dict) else "fit", contains="padding"
    )
    return chart.properties(width=WIDTH, height=height, autosize=autosize)


def draw(figure: Figure) -> str:
    """Draw a figure as an SVG document, on white."""
    import vl_convert

    spec: dict[str, Any] = figure.chart.to_dict()
    return str(vl_convert.vegalite_to_svg(spec | {"config": _CONFIG, "padding": _PADDING}))


def for_page(svg: str, name: str) -> str:
    """Make an SVG element for the page: its colours are the theme's, its title the figure's."""
    svg = re.sub(r' (role|style|aria-[a-z]+)="[^"]*"', "", svg)  # no style: the policy of the page
    svg = re.sub(r"\b(clip|gradient)(\d+)", rf"{name}-\1\2", svg)
    svg = svg.replace(f'fill="{_WHITE}"', 'fill="none"', 1)
    for colour, variable in _THEMED.items():
        svg = svg.replace(f'"{colour}"', f'"var({variable})"')
    return svg.replace("<svg ", f'<svg role="img" aria-labelledby="{name}-title" ', 1)


def write_picture(svg: str, path: Path) -> None:
    """Write PATH.svg and PATH.png."""
    import vl_convert

    files = {".svg": svg.encode(), ".png": vl_convert.svg_to_png(svg, scale=_PAPER_SCALE)}
    for ending, content in files.items():
        path.with_name(path.name + ending).write_bytes(content)
