"""The stages of dvc.yaml as a graph: which reads what of which, and how many cells each has."""

import re
from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from alpacare.core.files import read_text
from alpacare.core.settings import read_yaml
from alpacare.core.stage_entry import fill, find

_INPUTS, _OUTPUTS = ("deps",), ("outs", "metrics", "plots")
_DVC, _PARAMS = Path("dvc.yaml"), Path("params.yaml")
_COMMENT = re.compile(r"((?:^  # .*\n)+)  (\w+):$", re.MULTILINE)
_CLIENT = "src/alpacare/llm"  # what asks servers
_LEFT_OPEN = re.compile(r"\$\{[\w.-]+\}")  # an axis of the matrix

Axes = Mapping[str, list[Any]]


class Stage(NamedTuple):
    """A stage: its matrix as {"student": 2, "seed": 2}, what it is for, and whose outputs it reads.

    `asks`: whether it may send text to a server. `reads` names a stage only if no other of them
    reads it in turn.
    """

    name: str
    axes: dict[str, int]
    purpose: str
    asks: bool
    reads: list[str]

    @property
    def cells(self) -> int:
        """How many cells it has: 1 without a matrix, 0 where a list in params.yaml is empty."""
        cells = 1
        for size in self.axes.values():
            cells *= size
        return cells


def read_graph() -> list[Stage]:
    """Read the stages from dvc.yaml and params.yaml, in their order."""
    entries, params = read_yaml(_DVC)["stages"], read_yaml(_PARAMS)
    purposes = _read_purposes()
    axes = {name: _axes(entry, params) for name, entry in entries.items()}
    reads = _read_links(entries, axes, params)
    return [
        Stage(
            name,
            {axis: len(values) for axis, values in axes[name].items()},
            purposes.get(name, ""),
            _CLIENT in entry.get("deps", []),
            sorted(_direct(name, reads)),
        )
        for name, entry in entries.items()
    ]


def _read_links(
    entries: Mapping[str, Any], axes: Mapping[str, Axes], params: Mapping[str, Any]
) -> dict[str, set[str]]:
    """Give, for each stage, the others with outputs that it reads; none has to do with no cells."""
    used = {name: entry for name, entry in entries.items() if all(axes[name].values())}
    inputs = {name: _inputs(entry, axes[name], params) for name, entry in used.items()}
    written = {
        name: [_pattern(path) for path in _paths(entry, _OUTPUTS, params)]
        for name, entry in used.items()
    }
    links: dict[str, set[str]] = {name: set() for name in entries}
    for name, other in product(used, used):
        if name != other and _meet(inputs[name], written[other]):
            links[name].add(other)
    return links


def _inputs(entry: Mapping[str, Any], axes: Axes, params: Mapping[str, Any]) -> set[str]:
    """Give what all cells of a stage read."""
    cells = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    return {path for cell in cells for path in _paths(entry, _INPUTS, {**params, "item": cell})}


def _read_purposes() -> dict[str, str]:
    """Read the comments above stages."""
    found = _COMMENT.findall(read_text(_DVC))
    return {
        name: " ".join(line.strip(" #") for line in lines.splitlines()) for lines, name in found
    }


def _axes(entry: Mapping[str, Any], params: Mapping[str, Any]) -> Axes:
    found = {}
    for axis, values in entry.get("matrix", {}).items():
        found[axis] = (find(values[2:-1], params) or []) if isinstance(values, str) else values
    return found


def _paths(
    entry: Mapping[str, Any], keys: Iterable[str], params: Mapping[str, Any]
) -> Iterable[str]:
    for key in keys:
        for each in entry.get(key, []):
            yield fill(each if isinstance(each, str) else next(iter(each)), params)


def _pattern(path: str) -> re.Pattern[str]:
    """Match an output and paths in it; an axis of the matrix may be any name."""
    return re.compile("[^/]+".join(map(re.escape, _LEFT_OPEN.split(path))) + "(/|$)")


def _meet(inputs: Iterable[str], outputs: Iterable[re.Pattern[str]]) -> bool:
    return any(output.match(path) for output in outputs for path in inputs)


def _direct(name: str, reads: Mapping[str, set[str]]) -> set[str]:
    """Leave out stages that another one reads in turn: the arrows through it say so."""
    through = set().union(*(_before(other, reads) for other in reads[name]))
    return reads[name] - through


def _before(name: str, reads: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    todo = [name]
    while todo:
        new = reads[todo.pop()] - found
        found |= new
        todo += new
    return found
