"""Statistics of the seeds, the kept instructions and the answers, from the statistics stages."""

from dataclasses import dataclass
from typing import Any

from alpacare.core.texts import escape_controls
from alpacare.pipeline.dvc_yaml import outputs
from alpacare.pipeline.params import Params
from alpacare.pipeline.sources import skipped_stages
from alpacare.report.tables import read_figures, read_table

_STAGES = {
    "seed_statistics": "seeds",
    "task_statistics": "instructions kept",
    "statistics": "training data",
}
_TABLES: dict[str, dict[str, type]] = {
    "kinds": {"field": str, "value": str, "rows": int},
    "verbs": {"verb": str, "object": str, "rows": int},
    "lengths": {"text": str, "from": int, "to": int, "rows": int},
    "nearest": {"among": str, "from": float, "to": float, "rows": int},
}


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
        return [(escape_controls(value), rows) for name, value, rows in self.kinds if name == field]

    def bins(self, name: str) -> list[tuple[float, float, int]]:
        """Give a histogram: from, to, rows.

        It is that of the words of the instruction, input or output, or that of the highest ROUGE-L
        F among rows or seeds.
        """
        tables = *self.lengths, *self.nearest
        return [bin for key, *bin in tables if key == name]  # type: ignore[misc]


def read_datasets(params: Params) -> list[Dataset]:
    """Read the statistics of the datasets behind the students.

    Raises:
        BadInput: a file that is not such statistics.
    """
    found = []
    for stage, name in _STAGES.items():
        if stage not in skipped_stages(params):
            figures, *tables = outputs(stage, "metrics/")
            if all(path.exists() for path in (figures, *tables)):
                read = {path.stem: read_table(path, _TABLES[path.stem]) for path in tables}
                keys = "rows", "kinds", "verbs", "words"
                found.append(Dataset(name, read_figures(figures, *keys), **read))
    return found
