"""`model-index` of a model's card: the win rates as the Hub's pages and its search read them."""

from collections.abc import Mapping
from typing import Any

from alpacare.core.texts import counted
from alpacare.evaluation.score import Cell, Score
from alpacare.evaluation.score_table import interval, overall_rate


def make_model_index(name: str, scores: Mapping[Cell, Score]) -> list[dict[str, Any]]:
    """Give an entry with a result for each comparison; nothing without scores.

    The form has no place for an interval, so that each metric's name says it.
    """
    results = [
        {
            "task": {"type": "text-generation"},
            "dataset": {"name": cell.test, "type": cell.test},
            "metrics": [_metric(cell, score)],
        }
        for cell, score in scores.items()
        if score.win_rate is not None
    ]
    return [{"name": name, "results": results}] if results else []


def _metric(cell: Cell, score: Score) -> dict[str, Any]:
    rate = overall_rate(score)
    return {
        "type": "win_rate",
        "value": round(100 * (rate.win_rate or 0.0), 2),
        "name": f"win rate in % against {cell.reference}, judged by {cell.judge}: "
        f"{interval(rate)}, {100 * score.confidence:g} % interval, "
        f"{counted(score.n_valid, 'item')}",
    }
