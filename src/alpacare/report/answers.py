"""How long the answers are, and how many are cut off or empty, by test set and model."""

from dataclasses import dataclass
from typing import Any

from alpacare.pipeline import paths
from alpacare.pipeline.params import Params
from alpacare.report.tables import read_figures

_KEYS = ("answers", "words", "dollars")


@dataclass(frozen=True)
class Answers:
    """One model's answers to a test set; `figures` as `describe_generations` gives them."""

    model: str
    seed: int | None  # None of a model that is not trained here
    figures: dict[str, Any]

    def __str__(self) -> str:
        return self.model if self.seed is None else f"{self.model}, seed {self.seed}"


def read_answers(params: Params) -> dict[str, list[Answers]]:
    """Read them by test set, students first.

    Raises:
        BadInput: a file that is not such statistics.
    """
    found = {}
    for test in params.tests:
        rows = []
        for run in params.runs():
            path = paths.answer_statistics(test, run)
            if path.exists():
                rows.append(Answers(*run, read_figures(path, *_KEYS)))
        others = paths.answer_statistics(test)
        named = read_figures(others) if others.exists() else {}
        rows += [Answers(name, None, figures) for name, figures in named.items()]
        if rows:
            found[test] = rows
    return found
