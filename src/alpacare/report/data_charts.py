"""Pictures of the data: the funnel, kinds, lengths and nearest rows."""

from collections.abc import Iterator, Sequence
from typing import Any

import altair as alt

from alpacare.core.texts import escape_controls
from alpacare.lineage.funnel_lines import Funnel
from alpacare.report.dataset import Dataset
from alpacare.report.drawing import LINE, SERIES, SOFT, Figure, set_size

_MOST = 15  # bars in a picture; topics and views are free text
_PLURALS = {"type": "Types", "difficulty": "Difficulty", "topic": "Topics", "view": "Views"}


def draw_funnel(funnel: Funnel) -> Iterator[Figure]:
    """Draw how many rows each stage kept, up to training."""
    steps, fates = funnel.row_counts(), ["kept", "not kept"]
    if not steps:
        return
    rows = [
        {"stage": count.stage, "rows": rows, "fate": fate}
        for count in steps
        for fate, rows in zip(fates, (count.kept, count.total - count.kept), strict=True)
    ]
    fate_colours = alt.Scale(domain=fates, range=SERIES[:2])
    chart = set_size(alt.Chart(alt.InlineData(values=rows)), {"step": 26})
    bars = chart.mark_bar(height=14).encode(
        y=alt.Y("stage:N", sort=[count.stage for count in steps], title=None),
        x=alt.X("rows:Q", title="rows", axis=alt.Axis(tickCount=4, format=",d", domain=False)),
        color=alt.Color("fate:N", sort=fates, scale=fate_colours, title=None),
        order=alt.Order("fate:N", sort="descending"),
    )
    yield Figure("funnel", "Funnel", "Rows that each stage got: kept, and not kept.", bars)


def draw_dataset(datasets: Sequence[Dataset]) -> Iterator[Figure]:
    """Draw verbs, kinds, lengths and nearest rows of the last dataset that has them."""
    if datasets and datasets[-1].verbs:
        yield _verbs(datasets[-1])
    for dataset in reversed(datasets):
        if any(dataset.kind(field) for field in _PLURALS):
            yield from _kinds(dataset)
            break
    if datasets:
        yield from _lengths(datasets[-1])
    yield from _nearest(datasets)


def _verbs(dataset: Dataset) -> Figure:
    """Draw the most frequent verbs, with their objects beside the bars."""
    objects: dict[str, list[str]] = {}
    counts = dict.fromkeys((verb for verb, *_ in dataset.verbs), 0)
    for verb, noun, rows in dataset.verbs:
        counts[verb] += rows
        objects.setdefault(verb, []).append(noun)
    values = [
        {"verb": escape_controls(verb), "rows": rows}
        | {"objects": escape_controls(", ".join(objects[verb]))}
        for verb, rows in sorted(counts.items(), key=lambda each: -each[1])
    ]
    # the longest bar leaves room for the objects beside it
    x = alt.X("rows:Q", title="rows", scale=alt.Scale(domainMax=2.2 * max(counts.values())))
    bars = alt.Chart(alt.InlineData(values=values)).encode(
        y=alt.Y("verb:N", sort=[str(each["verb"]) for each in values], title=None),
        x=x.axis(alt.Axis(tickCount=4, format=",d", domain=False, grid=False)),
    )
    words = bars.mark_text(align="left", dx=5, fontSize=10, limit=150, color=SOFT)
    drawn = bars.mark_bar(color=SERIES[0], height=11) + words.encode(text="objects:N")
    figures = dataset.figures["verbs"]
    return Figure(
        "verbs",
        "Root verbs and their objects",
        f"What the instructions ask for ({dataset.name}): the {len(values)} most frequent verbs, "
        f"each with up to four objects: {sum(counts.values()):,} of {figures['with_object']:,} "
        f"rows with both, {100 * (figures['top_covers_share'] or 0):.1f} % of all rows.",
        set_size(drawn, {"step": 17}),
    )


def _kinds(dataset: Dataset) -> Iterator[Figure]:
    for field, title in _PLURALS.items():
        values = [(value or "others", rows) for value, rows in dataset.kind(field)]
        if not values:
            continue
        if field == "difficulty":
            values.sort()
        shown = values[:_MOST]
        data = alt.InlineData(values=[{"value": v, "rows": n} for v, n in shown])
        left = f"; {len(values) - _MOST} more are not shown" if len(values) > _MOST else ""
        bars = set_size(alt.Chart(data), {"step": 17}).mark_bar(color=SERIES[0], height=11)
        chart = bars.encode(
            y=alt.Y("value:N", sort=[v for v, _ in shown], title=None),
            x=alt.X("rows:Q", title="rows", axis=alt.Axis(tickCount=4, format=",d", domain=False)),
        )
        caption = f"{title}, in rows ({dataset.name}){left}."
        yield Figure(f"kinds-{field}", title, caption, chart)


def _lengths(dataset: Dataset) -> Iterator[Figure]:
    for text in ("instruction", "input", "output"):
        if bins := dataset.bins(text):
            words = dataset.figures["words"][text]
            yield Figure(
                f"lengths-{text}",
                f"Words of the {text}",
                f"{words['rows']:,} {text}s ({dataset.name}): median {words['median']:g} words, "
                f"nine of ten between {words['p5']:g} and {words['p95']:g}.",
                _histogram(bins, "words"),
            )


def _nearest(datasets: Sequence[Dataset]) -> Iterator[Figure]:
    sides = (("rows", "Nearest row", "another one"), ("seeds", "Nearest seed", "a seed"))
    for among, title, other in sides:
        dataset = next((each for each in reversed(datasets) if each.bins(among)), None)
        if dataset:
            nearest = dataset.figures["nearest"][among]
            yield Figure(
                f"nearest-{among}",
                title,
                f"Highest ROUGE-L F of each instruction ({dataset.name}) with {other}: median "
                f"{nearest['median']:.2f}, nine of ten between {nearest['p5']:.2f} and "
                f"{nearest['p95']:.2f}.",
                _histogram(dataset.bins(among), "ROUGE-L F"),
            )


def _histogram(bins: Sequence[tuple[float, float, int]], title: str) -> Any:
    rows = [{"from": low, "to": high, "rows": rows} for low, high, rows in bins]
    chart = set_size(alt.Chart(alt.InlineData(values=rows)), 170)
    return chart.mark_bar(color=SERIES[0], stroke=LINE, strokeWidth=0).encode(
        x=alt.X("from:Q", title=title, axis=alt.Axis(grid=False, tickCount=6), bin="binned"),
        x2="to:Q",
        y=alt.Y("rows:Q", title="rows", axis=alt.Axis(tickCount=4, format=",d", domain=False)),
    )
