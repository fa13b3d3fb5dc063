"""Charts to pictures: SVG in the colours of the page's theme; SVG and PNG for papers."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert

# the colours of charts on paper, and their CSS variables on the page
INK, SOFT, LINE, PAPER = "#1c2024", "#5a626c", "#d8dce1", "#fefefe"
SERIES = ("#1f5fa8", "#b4531d", "#2d7a4d", "#7647a0", "#7d6200", "#a8385f")
_THEMED = {INK: "--ink", SOFT: "--soft", LINE: "--line", PAPER: "--card"} | {
    colour: f"--series-{number}" for number, colour in enumerate(SERIES, start=1)
}
WIDTH = 330  # fits on a phone
_WHITE = "white"
# pixels around a picture; more on the left, for labels in wider fonts than the one measured
_PADDING = {"left": 14, "right": 6, "top": 4, "bottom": 4}

_AXIS: dict[str, Any] = {
    **dict.fromkeys(("labelColor", "titleColor"), SOFT),
    **dict.fromkeys(("domainColor", "tickColor", "gridColor"), LINE),
    **dict.fromkeys(("labelFontSize", "titleFontSize"), 11),
    "titleFontWeight": "normal",
    "labelLimit": 150,
}
_CONFIG: dict[str, Any] = {
    "font": "Helvetica, Arial, Liberation Sans, sans-serif",
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
    """One picture: file name, title, caption and chart."""

    name: str
    title: str
    caption: str
    chart: Any  # altair's

    @cached_property
    def svg(self) -> str:
        """The figure as an SVG document, on white."""
        spec: dict[str, Any] = self.chart.to_dict()
        return str(vl_convert.vegalite_to_svg(spec | {"config": _CONFIG, "padding": _PADDING}))


def set_size(chart: Any, height: Any) -> Any:
    """Make a chart as wide as all others, axes included; `height` in pixels, or {"step": ...}."""
    autosize = alt.AutoSizeParams(
        type="fit-x" if isinstance(height, dict) else "fit", contains="padding"
    )
    return chart.properties(width=WIDTH, height=height, autosize=autosize)


def adapt_for_page(figure: Figure) -> str:
    """Make an SVG element for the page, with the theme's colours and the figure's title."""
    # no style: the policy of the page
    svg = re.sub(r' (role|style|aria-[a-z]+)="[^"]*"', "", figure.svg)
    svg = re.sub(r"\b(clip|gradient)(\d+)", rf"{figure.name}-\1\2", svg)
    svg = svg.replace(f'fill="{_WHITE}"', 'fill="none"', 1)
    for colour, variable in _THEMED.items():
        svg = svg.replace(f'"{colour}"', f'"var({variable})"')
    return svg.replace("<svg ", f'<svg role="img" aria-labelledby="{figure.name}-title" ', 1)


def write_picture(figure: Figure, folder: Path) -> None:
    """Write NAME.svg and NAME.png."""
    (folder / f"{figure.name}.svg").write_bytes(figure.svg.encode())
    png = vl_convert.svg_to_png(figure.svg, scale=3)  # for papers
    (folder / f"{figure.name}.png").write_bytes(png)
