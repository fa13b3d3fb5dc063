"""Where the boxes of a graph go: in layers from top to bottom, with few crossings of arrows."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

SWEEPS = 24
_GAP = 28  # between neighbours of one layer

Edge = tuple[str, str]


class Layout(NamedTuple):
    """Layers of names, the middle of each name, and each arrow's points as names."""

    layers: list[list[str]]
    middles: dict[str, float]
    routes: dict[Edge, list[str]]


def lay_out(reads: Mapping[str, Sequence[str]], widths: Mapping[str, float]) -> Layout:
    """Lay a graph out: `reads` is what each name reads, all of them above it.

    An arrow that passes a layer has a point there, with a place of its own.
    """
    depth = _depths(reads)
    layers: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for name in reads:
        layers[depth[name]].append(name)
    routes: dict[Edge, list[str]] = {}
    links: list[Edge] = []
    for name, above in reads.items():
        for other in above:
            points = [f"{other}>{name}>{n}" for n in range(depth[other] + 1, depth[name])]
            for n, point in enumerate(points, depth[other] + 1):
                layers[n].append(point)
            route = [other, *points, name]
            routes[other, name] = route
            links += pairwise(route)
    sizes = {point: widths.get(point, 12) for layer in layers for point in layer}
    _order(layers, links)
    return Layout(layers, _place(layers, links, sizes), routes)


def _depths(reads: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Give each name its layer: below all that it reads; what reads nothing, just above its use."""
    depth: dict[str, int] = {}

    def find(name: str) -> int:
        if name not in depth:
            depth[name] = max((find(other) + 1 for other in reads[name]), default=0)
        return depth[name]

    for name in reads:
        find(name)
    for name in reads:
        below = [depth[other] for other in reads if name in reads[other]]
        if not reads[name] and below:
            depth[name] = min(below) - 1
    return depth


def _neighbours(links: Sequence[Edge]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for first, second in links:
        above.setdefault(second, []).append(first)
        below.setdefault(first, []).append(second)
    return above, below


def _order(layers: list[list[str]], links: Sequence[Edge]) -> None:
    """Order each layer by the mean place of its neighbours, downwards and upwards in turn."""
    above, below = _neighbours(links)
    for sweep in range(SWEEPS):
        near, order = (above, layers) if sweep % 2 == 0 else (below, layers[::-1])
        for before, layer in pairwise(order):
            place = {name: n / max(1, len(before) - 1) for n, name in enumerate(before)}
            own = {name: n / max(1, len(layer) - 1) for n, name in enumerate(layer)}
            mean = {name: _mean(near.get(name, []), place, own[name]) for name in layer}
            layer.sort(key=mean.__getitem__)


def _mean(names: Sequence[str], place: Mapping[str, float], otherwise: float) -> float:
    return sum(place[name] for name in names) / len(names) if names else otherwise


def _place(
    layers: Sequence[Sequence[str]], links: Sequence[Edge], sizes: Mapping[str, float]
) -> dict[str, float]:
    """Move each name to the mean of its neighbours, as far as its layer has room."""
    above, below = _neighbours(links)
    middles: dict[str, float] = {}
    for layer in layers:
        left = -sum(sizes[name] + _GAP for name in layer) / 2
        for name in layer:
            middles[name] = left + sizes[name] / 2
            left += sizes[name] + _GAP
    for sweep in range(SWEEPS + 1):  # downwards last: what has one arrow is straight below
        for layer in layers if sweep % 2 == 0 else layers[::-1]:
            wanted = {
                name: _mean(above.get(name, []) + below.get(name, []), middles, middles[name])
                for name in layer
            }
            middles |= _spread(layer, wanted, sizes)
    return middles


def _spread(
    layer: Sequence[str], wanted: Mapping[str, float], sizes: Mapping[str, float]
) -> dict[str, float]:
    """Give places in this order, near those wanted, that do not overlap.

    Names that touch move together, as a block whose mean is wanted by its members.
    """
    blocks: list[tuple[list[str], float]] = []  # names, and the middle of the first
    for name in layer:
        names, start = [name], wanted[name]
        while blocks:
            before, first = blocks[-1]
            needed = first + _offsets([*before, name], sizes)[-1]
            if start >= needed:
                break
            blocks.pop()
            names = [*before, *names]
            offsets = _offsets(names, sizes)
            pulls = [wanted[each] - offset for each, offset in zip(names, offsets, strict=True)]
            start = sum(pulls) / len(pulls)
            name = names[0]
        blocks.append((names, start))
    return {
        name: start + offset
        for names, start in blocks
        for name, offset in zip(names, _offsets(names, sizes), strict=True)
    }


def _offsets(names: Sequence[str], sizes: Mapping[str, float]) -> list[float]:
    """Give the middles of names side by side, from that of the first."""
    offsets = [0.0]
    for before, name in pairwise(names):
        offsets.append(offsets[-1] + (sizes[before] + sizes[name]) / 2 + _GAP)
    return offsets
