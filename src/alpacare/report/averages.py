"""Scores averaged over training seeds; and win rates by difficulty or type, over references too.

The former need scores only, which are in Git: the mean's interval is the mean of the intervals. It
is the one that holds if all runs err on the same items, so it is never too narrow for the choice of
items; how much runs differ shows beside it. The latter are made of verdicts, item by item, where
these are here.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from alpacare.comparison.leaderboard import Board
from alpacare.comparison.model_runs import all_models
from alpacare.evaluation.crossed import mean_win_rate
from alpacare.evaluation.score import Cell, Rate, Score
from alpacare.evaluation.score_table import consistency_rate, overall_rate, share_rate
from alpacare.evaluation.seed_variance import NOT_TRAINED, pool_seeds
from alpacare.evaluation.win_rates import NO_RATE
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params
from alpacare.records.test_set import read_test_set

Scores = Mapping[Cell, Score]
_UNKNOWN = "unknown"


@dataclass(frozen=True)
class Averaged:
    """One model against one reference, by one judge: the mean over its training seeds."""

    model: str
    scores: Sequence[Score]  # by training seed; one of a model that is not trained here

    @property
    def rate(self) -> Rate:
        """The win rate."""
        return mean_rate(map(overall_rate, self.scores))

    @property
    def length_controlled(self) -> Rate:
        """The length-controlled win rate."""
        return mean_rate(score.length_controlled for score in self.scores)

    @property
    def length_controlled_why(self) -> str | None:
        """Why there is no length-controlled win rate."""
        return next(filter(None, (score.length_controlled_why for score in self.scores)), None)

    @property
    def longer(self) -> Rate:
        """The share of decided items that the longer answer won."""
        return mean_rate(map(longer_preferred_rate, self.scores))

    @property
    def consistency(self) -> Rate:
        """The share of items with the same verdict in both orders."""
        return mean_rate(map(consistency_rate, self.scores))

    @property
    def valid(self) -> int:
        """How many items can be read, in the seed with the fewest."""
        return min(score.n_valid for score in self.scores)

    @property
    def n(self) -> int:
        """How many items there are."""
        return max(score.n for score in self.scores)

    @property
    def by_seed(self) -> list[float]:
        """The win rate of each seed."""
        return [score.win_rate for score in self.scores if score.win_rate is not None]


def longer_preferred_rate(score: Score) -> Rate:
    """Give the share of decided items that the longer answer won, with Wilson's interval."""
    return share_rate(score.longer_preferred, score.wins + score.losses, score.confidence)


def mean_rate(rates: Iterable[Rate]) -> Rate:
    """Average rates and their bounds; n is the smallest. Rates without a value do not count."""
    known = [rate for rate in rates if rate.win_rate is not None]
    if not known:
        return NO_RATE
    means = {
        name: round(fmean(getattr(rate, name) for rate in known), 4)
        for name in ("win_rate", "ci_low", "ci_high")
    }
    return Rate(**means, n=min(rate.n for rate in known))


def average_seeds(scores: Scores, test: str) -> dict[str, dict[str, list[Averaged]]]:
    """Give a test set's scores by judge and reference: a row for each model."""
    found: dict[tuple[str, str, str], list[Score]] = {}
    for cell, score in scores.items():
        if cell.test == test:
            found.setdefault((cell.judge, cell.reference, cell.model), []).append(score)
    rows: dict[str, dict[str, list[Averaged]]] = {}
    for (judge, reference, model), runs in found.items():
        rows.setdefault(judge, {}).setdefault(reference, []).append(Averaged(model, runs))
    return rows


def average_groups(
    params: Params,
    scores: Scores,
    boards: Sequence[Board],
    test: str,
    judge: str,
    field: Literal["difficulty", "type"],
) -> dict[str, dict[str, Rate]]:
    """Give win rates by difficulty or type and by model, as a leaderboard of these items would.

    By name, "unknown" last; nothing if all are unknown. Without verdicts, as in a clone without
    data, the means of the scores and of their bounds.
    """
    board = next((each for each in boards if (each.test, each.judge) == (test, judge)), None)
    path = paths.test_set(test)
    if board is None or not path.exists():
        return _average_scores(params, scores, test, judge, field)
    groups: dict[str, set[str]] = {}
    for task in read_test_set(path):
        value = getattr(task, field)
        groups.setdefault(_UNKNOWN if value is None else str(value), set()).add(task.id)
    if groups.keys() == {_UNKNOWN}:
        return {}
    return {name: _rates_on(params, board, groups[name]) for name in _in_order(groups)}


def _in_order(groups: Iterable[str]) -> list[str]:
    return sorted(groups, key=lambda name: (name == _UNKNOWN, name))


def _average_scores(
    params: Params, scores: Scores, test: str, judge: str, field: str
) -> dict[str, dict[str, Rate]]:
    found: dict[str, dict[str, list[Rate]]] = {}
    for cell, score in scores.items():
        counts = cell.reference in params.judgments.averaged
        if counts and (cell.test, cell.judge) == (test, judge):
            for name, rate in getattr(score, f"by_{field}").items():
                found.setdefault(name, {}).setdefault(cell.model, []).append(rate)
    return {
        name: {model: mean_rate(rates) for model, rates in found[name].items()}
        for name in _in_order(found)
    }


def _rates_on(params: Params, board: Board, ids: Set[str]) -> dict[str, Rate]:
    """Give each model's win rate on some items, over items and seeds: means over references."""
    entries = {entry.model: entry for entry in board.entries}
    runs = {
        model: [{id: run[id] for id in run.keys() & ids} for run in entries[model].runs]
        for model in all_models(params)
        if model in entries
    }
    seeds = pool_seeds([each for model, each in runs.items() if model.seeds])
    return {
        model.name: mean_win_rate(each, params.scores, seeds if model.seeds else NOT_TRAINED).rate
        for model, each in runs.items()
    }
