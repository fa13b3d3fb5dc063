"""What the seeds, the kept instructions and the answers look like, as the statistics stages say."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.core.files import read_json
from alpacare.display.text import plain
from alpacare.pipeline.dvc_yaml import outputs
from alpacare.pipeline.params import Params
from alpacare.pipeline.sources import passed
from alpacare.report.tables import read_table

_STAGES = {
    "seed_statistics": "seeds",
    "task_statistics": "instructions kept",
    "statistics": "training data",
}
KINDS = ("type", "topic", "view", "difficulty")


@dataclass(frozen=True)
class Dataset:
    """One dataset: `figures` as in docs/dataset.md, and its four tables."""

    name: str
    figures: dict[str, Any]
    kinds: list[tuple[str, str, int]]  # field, value, rows
    verbs: list[tuple[str, str, int]]  # verb, object, rows
    lengths: list[tuple[str, int, int, int]]  # text, from, to, rows
    nearest: list[tuple[str, float, float, int]]  # among, from, to, rows

    def kind(self, field: str) -> list[tuple[str, int]]:
        """Give the values of a type, topic, view or difficulty, most frequent first."""
        return [(plain(value), rows) for name, value, rows in self.kinds if name == field]

    def bins(self, text: str) -> list[tuple[int, int, int]]:
        """Give the lengths of instructions, inputs or outputs: from, to, rows."""
        return [bin for name, *bin in self.lengths if name == text]  # type: ignore[misc]

    def nearness(self, among: str) -> list[tuple[float, float, int]]:
        """Give the highest ROUGE-L F among rows or seeds: from, to, rows."""
        return [bin for name, *bin in self.nearest if name == among]  # type: ignore[misc]


def read_datasets(params: Params) -> list[Dataset]:
    """Read what is described of the data behind today's student.

    Raises:
        BadInput: a file that is there and is no description.
    """
    found = []
    for stage, name in _STAGES.items():
        if stage not in passed(params):
            figures, *tables = outputs(stage, "metrics/")
            if all(path.exists() for path in (figures, *tables)):
                found.append(_read(name, figures, {path.stem: path for path in tables}))
    return found


def _read(name: str, path: Path, tables: dict[str, Path]) -> Dataset:
    figures = read_json(path)
    if not isinstance(figures, dict) or not {"rows", "kinds", "verbs", "words"} <= figures.keys():
        raise BadInput(f"{path}: is no description of a dataset; run `dvc repro`")
    return Dataset(
        name,
        figures,
        kinds=read_table(tables["kinds"], [("field", str), ("value", str), ("rows", int)]),
        verbs=read_table(tables["verbs"], [("verb", str), ("object", str), ("rows", int)]),
        lengths=read_table(
            tables["lengths"], [("text", str), ("from", int), ("to", int), ("rows", int)]
        ),
        nearest=read_table(
            tables["nearest"], [("among", str), ("from", float), ("to", float), ("rows", int)]
        ),
    )
