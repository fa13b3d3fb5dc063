"""Where rows come from: a file, a folder of the `datasets` library, or hf://ORG/NAME[@REVISION]."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.datasets.addresses import refuse_address
from alpacare.datasets.hub_datasets import HubDataset, open_folder, open_on_hub
from alpacare.datasets.json_tables import TableRow
from alpacare.datasets.tables import read_table_rows

_ON_HUB = re.compile(r"hf://(?:datasets/)?([\w.-]+/[\w.-]+?)(?:@([\w./-]+))?")


@dataclass(frozen=True)
class RowSource:
    """Rows, the name of what is made of them by default, and what their .dvc file is to hold."""

    name: str
    rows: Iterator[TableRow]
    meta: dict[str, Any]


@dataclass(frozen=True)
class Part:
    """Which part of a dataset is read; null: the only one that there is."""

    split: str | None = None
    config: str | None = None

    def __bool__(self) -> bool:
        return bool(self.split or self.config)


def open_source(address: str, part: Part) -> RowSource:
    """Open what the user names on the command line; its rows are read as they are asked for.

    Raises:
        BadInput: no such file, dataset, split or config, or an address that is not read.
    """
    if address.startswith("hf://"):
        found = _ON_HUB.fullmatch(address)
        if not found:
            raise BadInput(f"{address}: write hf://ORG/NAME or hf://ORG/NAME@REVISION")
        return _source(open_on_hub(found[1], found[2], part.split, part.config))
    refuse_address(address)
    if not address.strip():
        raise BadInput("no file is named; name one, in make as FILE=...")
    path = Path(address)
    if path.is_dir():
        return _source(open_folder(path, part.split, part.config))
    if part:
        raise BadInput(f"{path}: is a file; --split and --config belong to hf:// and to folders")
    name = path.stem if path.suffix.lower() != ".gz" else Path(path.stem).stem
    return RowSource(name, read_table_rows(path), {"source": path.name})


def _source(dataset: HubDataset) -> RowSource:
    rows = (
        TableRow(number, f"{dataset.place}: row {number}", values)
        for number, values in enumerate(dataset.rows, start=1)
    )
    return RowSource(dataset.name, rows, dataset.meta)
