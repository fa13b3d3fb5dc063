"""A stage's entry in dvc.yaml with its templates filled in, as DVC fills them."""

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

_TEMPLATE = re.compile(r"\$\{([\w.-]+)\}")


class StageEntry(NamedTuple):
    """What a stage depends on: paths, and keys of params.yaml such as `generations`."""

    deps: list[str]
    params: list[str]


def read_entry(
    address: str, stages: Mapping[str, Any], params: Mapping[str, Any]
) -> StageEntry | None:
    """Find a stage by its address, as `seeds` or `generations@demo-batched`.

    `stages` and `params`: what dvc.yaml and params.yaml hold. None for an entry that is not there,
    or of another form than dvc.yaml's.
    """
    name, _, cell = address.partition("@")
    entry = stages.get(name, {})
    cells = {"-".join(map(str, item.values())): item for item in matrix_items(entry, params)}
    values = {**params, "item": cells.get(cell, {})}
    deps = [fill(str(each), values) for each in entry.get("deps", [])]
    keys = [fill(each, values) for each in entry.get("params", []) if isinstance(each, str)]
    # a file of parameters of its own, as students/NAME.yaml
    deps += [
        fill(next(iter(each)), values) for each in entry.get("params", []) if isinstance(each, dict)
    ]
    return StageEntry(deps, keys) if deps and "${" not in f"{deps}{keys}" else None


def fill(text: str, values: Mapping[str, Any]) -> str:
    """Fill ${section.key} in; what `values` does not know is left."""

    def value(match: re.Match[str]) -> str:
        found = find(match[1], values)
        return match[0] if found is None else str(found)

    return _TEMPLATE.sub(value, text)


def find(key: str, values: Mapping[str, Any]) -> Any:
    """Give the value of a key such as `filtered.rouge_l`; None if there is none."""
    found: Any = values
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def matrix_items(entry: Mapping[str, Any], params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Give each combination of a matrix: {"test": "demo", "engine": "batched"}."""
    matrix = entry.get("matrix", {})
    for combination in product(*(_axis(values, params) for values in matrix.values())):
        yield dict(zip(matrix, combination, strict=True))


def _axis(values: Any, params: Mapping[str, Any]) -> list[Any]:
    """Give an axis's values: a list, or a template that names one."""
    if isinstance(values, str) and (template := _TEMPLATE.fullmatch(values)):
        values = find(template[1], params)
    return values if isinstance(values, list) else []
