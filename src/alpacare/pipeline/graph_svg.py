"""The picture of the stages: reports/pipeline.svg."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from textwrap import wrap

from alpacare.core.files import atomic_file
from alpacare.pipeline.graph import Stage, read_graph
from alpacare.pipeline.graph_layout import Layout, lay_out

_HEIGHT, _STEP = 50, 94  # of a box, and from one layer to the next
_MARGIN, _HEAD = 28, 74
_CARD = 5  # how far a card behind another one shows
_NOUNS = {"student": "students", "seed": "seeds", "test": "tests", "judge": "judges"}
_STYLE = """
  text { font-family: system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1d2733 }
  .title { font-size: 19px; font-weight: 600 }
  .note { font-size: 13px; fill: #56616e }
  .name { font-size: 14px; font-weight: 600; text-anchor: middle }
  .cells { font-size: 12px; fill: #56616e; text-anchor: middle }
  .box { fill: #f4f6f8; stroke: #8a96a3 }
  .student .box { fill: #e4effb; stroke: #2f6fb0 }
  .asks .box { stroke: #b4600a; stroke-width: 2.5 }
  .arrow { fill: none; stroke: #8a96a3; stroke-width: 1.4; marker-end: url(#head) }
"""


def write_graph(out: Path) -> Path:
    """Draw the stages of dvc.yaml that have a cell, and give the file."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(out) as file:
        file.write(draw(read_graph()))
    return out


def draw(stages: Sequence[Stage]) -> str:
    """Draw stages as SVG: boxes in layers from top to bottom; one cell behind another as cards."""
    drawn = {stage.name: stage for stage in stages if stage.cells}
    reads = {
        name: [other for other in stage.reads if other in drawn] for name, stage in drawn.items()
    }
    widths = {name: _width(stage) for name, stage in drawn.items()}
    layout = lay_out(reads, widths)
    left = min(layout.middles[name] - widths[name] / 2 for name in drawn)
    right = max(layout.middles[name] + widths[name] / 2 for name in drawn)
    x = {name: middle - left + _MARGIN for name, middle in layout.middles.items()}
    y = {
        name: _HEAD + _MARGIN + _STEP * n for n, layer in enumerate(layout.layers) for name in layer
    }
    tops = {name: y[name] - _CARD * (_cards(stage) - 1) - 2 for name, stage in drawn.items()}
    body = [*_arrows(layout, x, y, tops)]
    for name, stage in drawn.items():
        body += _box(stage, x[name], y[name], widths[name])
    idle = [stage.name for stage in stages if not stage.cells]
    width = max(round(right - left) + 2 * _MARGIN, 760)
    below = _HEAD + _MARGIN + _STEP * (len(layout.layers) - 1) + _HEIGHT + _MARGIN
    notes = _idle_notes(idle, width)
    lines = [_note(text, below + 12 + 20 * n) for n, text in enumerate(notes)]
    return _page(width, below + 20 * len(notes) + _MARGIN, [*_legend(), *body, *lines])


def _page(width: float, height: float, body: Sequence[str]) -> str:
    lines = "\n".join(body)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" \
viewBox="0 0 {width} {height}" role="img" aria-label="The stages of the pipeline">
<style>{_STYLE}</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" \
orient="auto"><path d="M0 0.5 L8 4 L0 7.5 z" fill="#8a96a3"/></marker></defs>
<rect width="100%" height="100%" fill="#ffffff"/>
{lines}
</svg>
"""


def _width(stage: Stage) -> float:
    """Wide enough for the longer of both lines."""
    return max(130, 8.6 * len(stage.name) + 28, 6.6 * len(describe_cells(stage)) + 24)


def describe_cells(stage: Stage) -> str:
    """Say what a stage is repeated over: "2 students x 2 seeds"; nothing without a matrix."""
    many = {axis: size for axis, size in stage.axes.items() if size > 1}
    if not many:
        return ""
    return " \N{MULTIPLICATION SIGN} ".join(
        f"{size} {_NOUNS.get(axis, 'cells')}" for axis, size in many.items()
    )


def _box(stage: Stage, x: float, y: float, width: float) -> Iterator[str]:
    kinds = ["student"] if "student" in stage.axes else []
    kinds += ["asks"] if stage.asks else []
    yield f'<g class="{" ".join(kinds)}">'
    yield f"<title>{escape(f'{stage.name}: {stage.purpose}')}</title>"
    for card in reversed(range(_cards(stage))):
        shift = card * _CARD
        yield (
            f'<rect class="box" x="{x - width / 2 + shift:.1f}" y="{y - shift:.1f}" '
            f'width="{width:.1f}" height="{_HEIGHT}" rx="7"/>'
        )
    cells = describe_cells(stage)
    middle = y + _HEIGHT / 2
    base = middle - 3 if cells else middle + 5
    yield f'<text class="name" x="{x:.1f}" y="{base:.1f}">{stage.name}</text>'
    if cells:
        yield f'<text class="cells" x="{x:.1f}" y="{middle + 15:.1f}">{cells}</text>'
    yield "</g>"


def _cards(stage: Stage) -> int:
    return min(stage.cells, 3)


def _arrows(
    layout: Layout, x: Mapping[str, float], y: Mapping[str, float], tops: Mapping[str, float]
) -> Iterator[str]:
    """Draw each arrow as a curve from the bottom of a box, through its points, to another's top."""
    for (first, last), route in layout.routes.items():
        path = [f"M{x[first]:.1f} {y[first] + _HEIGHT:.1f}"]
        at, down = x[first], y[first] + _HEIGHT
        for point in route[1:]:
            to = tops.get(point, y[point])
            bend = (to - down) / 2
            start, at = at, x[point]
            curve = (start, down + bend, at, to - bend, at, to)
            path.append("C" + " ".join(f"{each:.1f}" for each in curve))
            down = to
            if point != last:  # straight past the boxes of its layer
                down += _HEIGHT
                path.append(f"L{at:.1f} {down:.1f}")
        yield f'<path class="arrow" d="{" ".join(path)}"/>'


def _legend() -> Iterator[str]:
    yield f'<text class="title" x="{_MARGIN}" y="36">The stages of the pipeline</text>'
    x = float(_MARGIN)
    for kind, text in (
        ("", "a stage"),
        ("student", "once for each student and training seed"),
        ("asks", "may ask a model on a server"),
    ):
        yield (
            f'<g class="{kind}"><rect class="box" x="{x:.1f}" y="54" width="22" height="14" '
            f'rx="3"/></g><text class="note" x="{x + 30:.1f}" y="66">{text}</text>'
        )
        x += 30 + 6.8 * len(text) + 30


def _idle_notes(names: Sequence[str], width: float) -> list[str]:
    """Name the stages that are not drawn, in lines that fit."""
    text = f"Not drawn, for want of a cell in params.yaml: {', '.join(names)}."
    return wrap(text, int((width - 2 * _MARGIN) / 7)) if names else []


def _note(text: str, y: float) -> str:
    return f'<text class="note" x="{_MARGIN}" y="{y}">{text}</text>'
